"""Tables of a user: reading, inspection and preprocessing."""
