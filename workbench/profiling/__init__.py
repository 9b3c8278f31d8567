"""Profiling: multiply-accumulates, memory, latency and energy."""
