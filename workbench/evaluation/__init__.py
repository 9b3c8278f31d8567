"""Evaluation: exact predictions, estimates with intervals, and reports."""
