"""Lossless codecs for streams of small symbols, with the same bytes on every platform."""
