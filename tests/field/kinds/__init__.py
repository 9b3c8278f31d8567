"""The module kinds, by what is peculiar to them; importing a file registers its kinds."""
