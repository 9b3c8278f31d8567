"""Training: the training loop, losses, optimizers, schedules, and quantization-aware training."""
