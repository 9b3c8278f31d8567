"""Energy of a process, a processor, a GPU or a machine, with its interval and its origin.

Nothing here loads PyTorch.
"""
