"""What runs inside a rank: one process with one thread of PyTorch."""
