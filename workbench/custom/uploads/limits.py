"""How much may be uploaded; the page says so beforehand."""

from __future__ import annotations

TABLE_BYTES = 20_000_000
TABLE_ROWS = 200_000
TABLE_COLUMNS = 1_000
MIN_ROWS = 50
TABLE_NUMBERS = 40_000_000
"""Numbers that rows and features make together: 160 MB."""

IMAGES_BYTES = 50_000_000
IMAGES = 20_000
MIN_IMAGES = 30
UNPACKED_BYTES = 500_000_000
"""What an archive may unpack to, all together."""
MAX_RATIO = 200
"""How much longer a file of an archive may be than what it is packed into."""
SIDE = 28
"""Pixels of a side of what the network sees."""
PIXELS = 40_000_000
"""Of one image, before it is made small."""

WEIGHTS_BYTES = 50_000_000

MAX_CLASSES = 50
MIN_PER_CLASS = 3
"""One for each split."""
