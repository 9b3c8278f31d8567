"""Calibration: statistics of inputs and gradients, and adjustments made with them."""
