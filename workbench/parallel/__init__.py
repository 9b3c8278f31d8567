"""Parallel training, evaluation and measurement in several processes on one or more machines."""
