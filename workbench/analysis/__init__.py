"""Analysis: what compression changed in a model, and how sensitive each layer is."""
