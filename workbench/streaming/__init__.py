"""Files larger than memory: compress and decompress safetensors tensor by tensor."""
