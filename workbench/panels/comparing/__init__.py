"""The tab that shows what compression changed: views of the original beside the file."""
