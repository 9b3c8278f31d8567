"""What the app shows, as plain data: header, card, list of layers, points, labels and tables."""
