"""A person's own models and data: brought, loaded from other libraries, uploaded."""
