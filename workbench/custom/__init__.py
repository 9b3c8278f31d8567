"""User models and data: from modules, other libraries and uploads."""
