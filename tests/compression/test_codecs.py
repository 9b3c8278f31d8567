"""Codecs are lossless, and their output has the announced size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from workbench.compression.codecs import gaps, huffman
from workbench.compression.codecs.packing import pack, packed_size, unpack

SIZES = (0, 1, 2, 7, 8, 9, 997, 1023, 1024, 1025, 2047, 2048, 2049, 5003)
KINDS = ("even", "skewed", "equal")


@st.composite
def symbols(draw, narrowest=2):
    """Draw a width in bits and uint8 symbols: evenly spread, skewed, or all equal."""
    width = draw(st.integers(narrowest, 8))
    size = draw(st.sampled_from(SIZES) | st.integers(0, 3000))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(KINDS))
    if kind == "equal":
        return width, np.full(size, draw(st.integers(0, 2**width - 1)), np.uint8)
    if kind == "even":
        return width, rng.integers(0, 2**width, size).astype(np.uint8)
    return width, np.minimum(rng.geometric(0.6, size) - 1, 2**width - 1).astype(np.uint8)


@pytest.mark.slow
@settings(deadline=None)
@given(symbols(narrowest=1))
def test_packing(drawn) -> None:
    width, values = drawn
    packed = pack(values, width)
    assert len(packed) == packed_size(values.size, width)
    np.testing.assert_array_equal(unpack(packed, width, values.size), values)


def test_packing_puts_the_most_significant_bit_first() -> None:
    assert pack(np.array([5, 1, 7], np.uint8), 3) == bytes([0b10100111, 0b10000000])


@pytest.mark.slow
@settings(deadline=None)
@given(symbols())
def test_huffman(drawn) -> None:
    width, values = drawn
    plan = huffman.plan(values, 2**width)
    coded = huffman.encode(values, plan)
    assert len(coded) == plan.size
    np.testing.assert_array_equal(huffman.decode(coded, 2**width, values.size), values)


def test_huffman_codes_have_at_most_15_bits() -> None:
    counts = [1, 1]
    while len(counts) < 24:  # Fibonacci: the deepest tree that so many symbols can have
        counts.append(counts[-1] + counts[-2])
    unlimited = huffman._lengths(counts)
    assert max(unlimited) > huffman.MAX_CODE_LENGTH
    lengths = huffman.code_lengths(counts)
    assert lengths.max() <= huffman.MAX_CODE_LENGTH
    assert sum(2.0 ** -lengths.astype(float)) == 1
    values = np.repeat(np.arange(24, dtype=np.uint8), counts)
    np.random.default_rng(0).shuffle(values)
    plan = huffman.plan(values, 32)
    np.testing.assert_array_equal(
        huffman.decode(huffman.encode(values, plan), 32, values.size), values
    )


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=256))
def test_huffman_lengths_are_complete_and_within_one_bit_of_the_entropy(counts) -> None:
    lengths = huffman.code_lengths(counts)
    used = np.array(counts) > 0
    np.testing.assert_array_equal(lengths > 0, used)
    if used.sum() < 2:
        assert lengths.sum() == used.sum()
        return
    assert sum(2.0 ** -lengths[used].astype(float)) == 1
    frequency = np.array(counts)[used] / sum(counts)
    if lengths.max() < huffman.MAX_CODE_LENGTH:
        assert frequency @ lengths[used] < 1 - frequency @ np.log2(frequency)


def test_huffman_of_a_single_symbol_takes_one_bit_each() -> None:
    plan = huffman.plan(np.full(1024, 3, np.uint8), 4)
    assert plan.size == 2 + 2 + 128


DAMAGED = {
    "cut short": lambda part: part[:-1],
    "longer": lambda part: part + b"\0",
    "nothing": lambda part: b"",
    "table only": lambda part: part[:2],
    "no code": lambda part: b"\0\0" + part[2:],
    "incomplete code": lambda part: b"\x33\x33" + part[2:],
    "overfull code": lambda part: b"\x11\x11" + part[2:],
    "block too long": lambda part: part[:2] + b"\xff\x3f" + part[4:],
    "block too short": lambda part: part[:2] + b"\x00\x01" + part[4:],
    "bits moved between blocks": lambda part: part[:2] + _moved(part[2:6]) + part[6:],
}


def _moved(sizes: bytes) -> bytes:
    first, second = np.frombuffer(sizes, "<u2").tolist()
    return np.array([first + 1, second - 1], "<u2").tobytes()


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_huffman_part_is_refused(name) -> None:
    values = np.random.default_rng(1).choice(4, 1500, p=(0.5, 0.25, 0.15, 0.1)).astype(np.uint8)
    part = huffman.encode(values, huffman.plan(values, 4))
    with pytest.raises(ValueError, match=r"Huffman|buffer|offset"):
        huffman.decode(DAMAGED[name](part), 4, values.size)


def test_invalid_word_of_a_single_symbol_code_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid code word"):
        huffman.decode(bytes([0x00, 0x01, 3, 0, 0b01000000]), 4, 3)


def test_many_empty_blocks_are_refused_before_allocation() -> None:
    blocks = 10**6  # would be 1 GB of symbols
    part = bytes([0x11, 0x00]) + bytes(2 * blocks)
    with pytest.raises(ValueError, match="shorter than its symbols"):
        huffman.decode(part, 4, 1024 * blocks)


@pytest.mark.slow
@settings(deadline=None)
@given(st.sets(st.integers(0, 3000), max_size=300), st.sampled_from(list(gaps.WIDTHS)))
def test_gaps(drawn, width) -> None:
    positions = np.array(sorted(drawn), np.int64)
    zeros = gaps.gaps(positions)
    coded = gaps.to_symbols(zeros, width)
    counts = gaps.symbol_counts(np.bincount(zeros), width)
    np.testing.assert_array_equal(np.bincount(coded, minlength=2**width), counts)
    np.testing.assert_array_equal(gaps.to_positions(coded, width), positions)


@pytest.mark.parametrize("zeros", [gaps.SHORT - 1, gaps.SHORT, 200_003])
def test_long_gaps_are_counted_like_short_ones(zeros) -> None:
    flags = np.zeros(zeros + 1, np.bool_)
    flags[-1] = True
    found = gaps.Gaps(flags)
    for width, counts in found.counts().items():
        expected = np.bincount(found.symbols(width), minlength=2**width)
        np.testing.assert_array_equal(counts, expected)


@pytest.mark.parametrize("size", [0, 4])
def test_a_gap_that_reaches_the_end_is_refused(size) -> None:
    flags = np.zeros(size, np.bool_)
    with pytest.raises(ValueError, match="index"):
        gaps.set_flags(flags, np.array([size], np.uint8), 3)
    assert not flags.any()


@pytest.mark.parametrize("width", gaps.WIDTHS)
def test_gaps_around_the_escape(width) -> None:
    escape = 2**width - 1
    for zeros in (escape - 1, escape, escape + 1, 2 * escape, 2 * escape + 1):
        coded = gaps.to_symbols(np.array([zeros]), width)
        np.testing.assert_array_equal(gaps.to_positions(coded, width), [zeros])
        assert coded.size == 1 + zeros // escape
