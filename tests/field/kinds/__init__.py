"""The module kinds, one file per topic; importing a file registers its kinds."""
