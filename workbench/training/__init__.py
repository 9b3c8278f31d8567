"""Training: the loop and what hangs on it: objectives, optimisers, schedules, quantisers."""
