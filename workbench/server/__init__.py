"""Voila and Jupyter servers, kernels and addresses."""
