"""Search over recipes: holding a size."""
