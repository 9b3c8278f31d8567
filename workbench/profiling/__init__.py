"""Profiling: multiply-accumulates, memory and latency of a model."""
