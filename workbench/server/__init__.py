"""Voila and Jupyter servers for the dashboard, their kernels and addresses."""
