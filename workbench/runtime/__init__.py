"""Running a module on given weights: batches, private copies, integer layers."""
