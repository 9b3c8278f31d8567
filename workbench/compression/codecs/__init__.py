"""Codecs: streams of small symbols to bytes and back, exactly, the same on every platform."""
