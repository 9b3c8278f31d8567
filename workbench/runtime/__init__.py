"""Running modules on given weights: batches, shells, guards, integer layers."""
