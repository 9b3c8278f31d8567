"""Predictions from raw data with a file alone: its preprocessing, its network and its answers."""
