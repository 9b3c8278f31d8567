"""Calibration: statistics and observers, batch-norm and bias adjustment, on training examples."""
