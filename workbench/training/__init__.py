"""Training: makes the checkpoints of the built-in models, from scratch and reproducibly."""
