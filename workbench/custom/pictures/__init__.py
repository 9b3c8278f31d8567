"""Pictures in class folders, from a folder or a zip archive."""
