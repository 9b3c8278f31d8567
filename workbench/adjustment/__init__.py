"""Repairs and ranges from calibration images: what comes before pruning and after coding."""
