"""Modules and weights from other libraries and from files."""
