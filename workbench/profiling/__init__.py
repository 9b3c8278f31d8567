"""Profiling: multiply-adds, memory and latency of a model."""
