"""Plans: does a large model fit on a chip, how long does it take, at which energy? No torch."""
