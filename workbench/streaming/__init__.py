"""Files too large for memory: safetensors compressed and expanded tensor by tensor."""
