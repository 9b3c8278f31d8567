"""Sensitivity, comparison, attribution, histograms and generated text."""
