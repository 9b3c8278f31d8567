"""User models and data: made from modules, loaded from other libraries, uploaded."""
