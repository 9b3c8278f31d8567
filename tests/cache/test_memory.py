"""Caches are bounded, and what they hold of a life goes with it."""

from __future__ import annotations

import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from workbench.cache.memory import FOREVER, Lifetime, MemoryCache


def keys(cache, names):
    """The keys of `names` that are kept; asking makes none of them newer than another."""
    return [name for name in names if cache.get(name) is not None]


@pytest.mark.parametrize(
    ("most", "room", "put", "kept"),
    [
        (3, None, "abcde", "cde"),
        (1, None, "abc", "c"),
        (9, 5, "aaabbc", "bc"),  # sizes 3, 2, 1
        (9, 6, "aaabbc", "abc"),
        (9, 2, "aaa", ""),  # larger than the room alone
        (9, 3, "aaab", "b"),
    ],
)
def test_the_oldest_go_first(most, room, put, kept):
    cache = MemoryCache(most, room, len)
    for name in dict.fromkeys(put):
        cache.put(name, name * put.count(name))
    assert "".join(keys(cache, dict.fromkeys(put))) == kept


def test_what_is_asked_for_counts_as_new():
    cache = MemoryCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert keys(cache, "abc") == ["a", "c"]


def test_a_value_put_again_counts_once():
    cache = MemoryCache(9, 10, len)
    for _ in range(5):
        cache.put("a", "six of")
    cache.put("b", "four")
    assert keys(cache, "ab") == ["a", "b"]


def test_a_value_is_made_once():
    cache, made = MemoryCache(2), []
    for _ in range(3):
        assert cache.of("a", lambda: made.append(1) or "value") == "value"
    assert made == [1]


def test_entries_end_with_their_life():
    caches = [MemoryCache(4), MemoryCache(4, 100, len)]
    ours, theirs = Lifetime(), Lifetime()
    for cache in caches:
        cache.put("ours", "1", ours)
        cache.put("more of ours", "2", ours)
        cache.put("theirs", "3", theirs)
        cache.put("nobody's", "4")
    del ours
    gc.collect()
    for cache in caches:
        assert keys(cache, ["ours", "more of ours", "theirs", "nobody's"]) == ["theirs", "nobody's"]


def test_a_key_taken_over_by_another_life_stays():
    cache, first, second = MemoryCache(4), Lifetime(), Lifetime()
    cache.put("key", 1, first)
    cache.put("key", 2, second)
    del first
    gc.collect()
    assert cache.get("key") == 2


def test_an_end_in_another_thread_does_not_wait_for_a_busy_cache():
    cache, life = MemoryCache(4), Lifetime()
    cache.put("key", 1, life)
    with cache._lock, ThreadPoolExecutor(1) as other:
        other.submit(cache.end, life.number).result(60)
        assert len(cache) == 1
    assert cache.get("key") is None


def test_a_life_goes_along_into_another_process():
    cache, life = MemoryCache(4), Lifetime()
    for one in (life, FOREVER):
        cache.put(one.number, 1, one)
    sent = pickle.loads(pickle.dumps(life))
    assert isinstance(sent, Lifetime)
    assert sent.number != life.number
    assert pickle.loads(pickle.dumps(FOREVER)) is FOREVER


def test_threads_share_a_cache():
    cache, lives = MemoryCache(8, 40, len), [Lifetime() for _ in range(4)]

    def use(number):
        key = number % 16
        return cache.of(key, lambda: "x" * (key + 1), lives[number % 4]) == "x" * (key + 1)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(use, range(2000)))
    lives.clear()
    gc.collect()
    assert cache.get(0) is None
    assert len(cache) == 0
