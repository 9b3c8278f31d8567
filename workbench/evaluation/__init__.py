"""Evaluation: what a model predicts, exactly, and what it costs to run."""
