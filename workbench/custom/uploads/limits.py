"""Limits on uploads, which the page shows."""

from __future__ import annotations

TABLE_BYTES = 20_000_000
TABLE_ROWS = 200_000
TABLE_COLUMNS = 1_000
MIN_ROWS = 50
TABLE_NUMBERS = 40_000_000
"""Rows times features: 160 MB as float32."""

IMAGES_BYTES = 50_000_000
IMAGES = 20_000
MIN_IMAGES = 30
UNPACKED_BYTES = 500_000_000
"""Total size of the files in an archive."""
MAX_RATIO = 200
"""Size of a file in an archive relative to its compressed size."""
FILES = 40_000
"""Files of any kind next to and in the class folders."""
PICTURE_BYTES = 100_000_000
"""Bytes of one image file."""
PIXEL_BYTES = 250_000_000
"""Total size of the images that the network receives."""
MAX_BROKEN = 0.1
"""Share of the images that may be damaged."""
PIXELS = 40_000_000
"""Pixels of one image before it is resized."""

WEIGHTS_BYTES = 50_000_000
HEADER_BYTES = 20_000_000
"""The header of a larger file of weights; it lists about 150,000 tensors."""

MAX_CLASSES = 50
MIN_PER_CLASS = 3
"""One example for each split."""
