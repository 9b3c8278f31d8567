"""What a model costs to run: multiply-adds, memory, time."""
