"""Deployment: export a compressed file to an inference runtime, and check what runs there."""
