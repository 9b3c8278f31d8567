"""Caches: results in memory, files and evaluation results on disk."""
