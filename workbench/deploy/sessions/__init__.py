"""One file for each runtime; they run in the worker process and never import PyTorch."""
