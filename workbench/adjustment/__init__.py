"""Repairs and ranges from calibration examples: what comes before pruning and after coding."""
