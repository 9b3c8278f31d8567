"""Files that a page user uploads: tables, images, weights."""
