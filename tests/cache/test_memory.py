"""Memory caches are bounded, and entries end with their lifetime."""

from __future__ import annotations

import gc
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from workbench.cache.memory import FOREVER, Lifetime, MemoryCache


def keys(cache, names):
    """Return those of `names` that are cached; this keeps their order of use."""
    return [name for name in names if cache.get(name) is not None]


@pytest.mark.parametrize(
    ("max_entries", "max_bytes", "put", "cached"),
    [
        (3, None, "abcde", "cde"),
        (1, None, "abc", "c"),
        (9, 5, "aaabbc", "bc"),  # sizes 3, 2, 1
        (9, 6, "aaabbc", "abc"),
        (9, 2, "aaa", ""),  # larger than the limit
        (9, 3, "aaab", "b"),
    ],
)
def test_least_recently_used_entries_are_dropped_first(max_entries, max_bytes, put, cached):
    cache = MemoryCache(max_entries, max_bytes, len)
    for name in dict.fromkeys(put):
        cache.put(name, name * put.count(name))
    assert "".join(keys(cache, dict.fromkeys(put))) == cached


def test_reading_an_entry_marks_it_as_used():
    cache = MemoryCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert keys(cache, "abc") == ["a", "c"]


def test_replacing_a_value_counts_its_size_once():
    cache = MemoryCache(9, 10, len)
    for _ in range(5):
        cache.put("a", "6 byte")
    cache.put("b", "four")
    assert keys(cache, "ab") == ["a", "b"]


def test_a_value_is_computed_once():
    cache, calls = MemoryCache(2), []
    for _ in range(3):
        assert cache.of("a", lambda: calls.append(1) or "value") == "value"
    assert calls == [1]


@pytest.mark.slow
def test_entries_end_with_their_lifetime():
    caches = [MemoryCache(4), MemoryCache(4, 100, len)]
    ours, theirs = Lifetime(), Lifetime()
    for cache in caches:
        cache.put("ours", "1", ours)
        cache.put("more of ours", "2", ours)
        cache.put("theirs", "3", theirs)
        cache.put("permanent", "4")
    del ours
    gc.collect()
    for cache in caches:
        assert keys(cache, ["ours", "more of ours", "theirs", "permanent"]) == [
            "theirs",
            "permanent",
        ]


def test_a_key_replaced_under_another_lifetime_stays():
    cache, first, second = MemoryCache(4), Lifetime(), Lifetime()
    cache.put("key", 1, first)
    cache.put("key", 2, second)
    del first
    gc.collect()
    assert cache.get("key") == 2


def test_ending_a_lifetime_does_not_wait_for_the_lock():
    cache, lifetime = MemoryCache(4), Lifetime()
    cache.put("key", 1, lifetime)
    with cache._lock, ThreadPoolExecutor(1) as other:
        other.submit(cache.end, lifetime.number).result(60)
        assert len(cache) == 1
    assert cache.get("key") is None


class SlowKey:
    """A key whose hash is not known until `known` is set."""

    def __init__(self):
        self.asked, self.known = threading.Event(), threading.Event()

    def __hash__(self):
        self.asked.set()
        self.known.wait(60)
        return 1


def test_an_entry_is_not_dropped_while_another_is_added():
    cache, lifetime, key = MemoryCache(4), Lifetime(), SlowKey()
    cache.put("key", 1, lifetime)
    with ThreadPoolExecutor(1) as other:
        adding = other.submit(cache.put, key, 2)
        assert key.asked.wait(60)
        cache.end(lifetime.number)
        cached = len(cache)
        key.known.set()
        adding.result(60)
    assert cached == 1
    assert len(cache) == 1
    assert cache.get(key) == 2


def test_pickling_a_lifetime():
    cache, lifetime = MemoryCache(4), Lifetime()
    for item in (lifetime, FOREVER):
        cache.put(item.number, 1, item)
    copy = pickle.loads(pickle.dumps(lifetime))
    assert isinstance(copy, Lifetime)
    assert copy.number != lifetime.number
    assert pickle.loads(pickle.dumps(FOREVER)) is FOREVER


def test_many_threads_use_one_cache():
    cache, lifetimes = MemoryCache(8, 40, len), [Lifetime() for _ in range(4)]

    def use(number):
        key = number % 16
        return cache.of(key, lambda: "x" * (key + 1), lifetimes[number % 4]) == "x" * (key + 1)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(use, range(2000)))
    lifetimes.clear()
    gc.collect()
    assert cache.get(0) is None
    assert len(cache) == 0
