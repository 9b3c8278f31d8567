"""One file for each converter of exported PyTorch programs; each runs in a process of its own."""
