"""Prediction of the memory that training and running a module take on the CPU."""
