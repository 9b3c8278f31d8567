"""Which folders name the classes and the splits, from the paths of the pictures alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from workbench.custom.pictures.inspection import Level
from workbench.custom.pictures.names import (
    are_numbered,
    are_short_numbers,
    are_splits,
    are_words,
    class_key,
    is_generic,
    key_of,
    says_apart,
    says_unlabeled,
    spellings,
    split_named,
    splits_named,
)
from workbench.custom.uploads.limits import MAX_CLASSES
from workbench.custom.uploads.splits import HELD_OUT

DEEPEST = 4
"""Levels that are considered."""
MIN_REPEATED = 3
"""From so many outer folders on, the same words in each of them are classes."""
REPEATED = 0.75
"""Share of the pairs of an outer folder and a class that must exist."""


@dataclass(frozen=True)
class Item:
    """A picture: its path, the folders that are not yet explained, and its split if given."""

    path: PurePosixPath
    folders: tuple[str, ...]
    split: str | None = None

    def below(self, depth: int, split: str | None = None) -> Item:
        """Return it without its outermost `depth` folders."""
        return Item(self.path, self.folders[depth:], split or self.split)


Items = list[Item]


@dataclass(frozen=True)
class Merged:
    """A folder that repeats the folders next to it.

    Attributes
    ----------
    folder : str
        Its path.
    names : tuple of str
        The folders that both have, sorted.
    paths : frozenset of path
        The pictures in it.
    """

    folder: str
    names: tuple[str, ...]
    paths: frozenset[PurePosixPath]


@dataclass(frozen=True)
class Structure:
    """What the folders say.

    Attributes
    ----------
    classes : dict
        The class of each picture, by its path.
    splits : dict
        The split of each picture that is in a folder of a split.
    unlabeled : tuple of path
        Pictures in no class folder.
    level : int
        The level of the class folders among `levels`.
    levels : tuple of Level
        Levels that may name the classes.
    spellings : tuple of tuple of str
        Names that differ in case or blanks only and are one class; it has the first name.
    merged : tuple of Merged
        Folders that repeat the folders next to them; their pictures are in the same classes.
    """

    classes: dict[PurePosixPath, str]
    splits: dict[PurePosixPath, str]
    unlabeled: tuple[PurePosixPath, ...]
    level: int
    levels: tuple[Level, ...]
    spellings: tuple[tuple[str, ...], ...]
    merged: tuple[Merged, ...] = ()


def structure_of(paths: Iterable[PurePosixPath], level: int | None = None) -> Structure:
    """Return the classes and splits of pictures.

    Parameters
    ----------
    paths
        Their paths, relative to the folder or archive.
    level
        Which folders name the classes, from 1; by default the most plausible ones.
    """
    everything = [Item(path, path.parent.parts) for path in paths]
    items = _unwrapped(everything)
    if level is None:
        items = _without_marked(items)
    items, merged = _merged(items)
    items, inner = _merged(_with_splits(items))
    if level is None:
        items = _labeled_part(items)
    levels = _levels(items)
    chosen = level or _class_level(items, levels)
    items = [item for item in items if len(item.folders) >= chosen]
    if level is None and chosen == 1:
        items = _without_unlabeled(items)
    spelled = spellings(item.folders[chosen - 1] for item in items)
    names = {key: next(iter(each)) for key, each in spelled.items()}
    items = _with_inner_splits(items, chosen)
    items = _in_training(items, chosen)
    labeled = {item.path for item in items}
    return Structure(
        {item.path: names[class_key(item.folders[chosen - 1])] for item in items},
        {item.path: item.split for item in items if item.split is not None},
        tuple(item.path for item in everything if item.path not in labeled),
        chosen,
        levels,
        tuple(tuple(each) for each in spelled.values() if len(each) > 1),
        merged + inner,
    )


def groups_of(items: Iterable[Item]) -> dict[str, Items]:
    """Return pictures by their outermost folder; those in no folder are left out."""
    groups: dict[str, Items] = {}
    for item in items:
        if item.folders:
            groups.setdefault(key_of(item.folders[0]), []).append(item)
    return groups


def _unwrapped(items: Items) -> Items:
    """Remove the outer folders that contain all pictures which are in folders."""
    while True:
        groups = groups_of(items)
        if len(groups) != 1:
            return items
        inside = [item.below(1) for item in next(iter(groups.values()))]
        if not groups_of(inside):
            return items
        items = inside


def _merged(items: Items) -> tuple[Items, tuple[Merged, ...]]:
    """Join the only folder that repeats most of the folders next to it with these.

    If it is named as the split for validation or test, its pictures are those of this split.
    """
    groups = groups_of(items)
    inner = {name: _unwrapped([i.below(1) for i in group]) for name, group in groups.items()}
    names = {name: set(groups_of(inside)) for name, inside in inner.items()}
    repeating = [
        name
        for name, each in names.items()
        if 2 <= len(each) >= (len(groups) - 1) / 2
        and each <= set(groups) - {name}
        and not any(each & others for other, others in names.items() if other != name)
    ]
    if len(repeating) != 1:
        return items, ()
    (nested,) = repeating
    split = split_named(nested)
    if says_unlabeled(nested) and split is None:
        return items, ()
    around = [item for item in items if item.folders and key_of(item.folders[0]) != nested]
    if split in HELD_OUT and not any(item.split for item in items):
        held_out = [item.below(0, split) for item in inner[nested]]
        return [item.below(0, "train") for item in around] + held_out, ()
    first = groups[nested][0]
    parts = first.path.parent.parts
    folder = PurePosixPath(*parts[: len(parts) - len(first.folders) + 1])
    paths = frozenset(item.path for item in inner[nested])
    merged = Merged(str(folder), tuple(sorted(names[nested])), paths)
    return around + inner[nested], (merged,)


# --- splits ------------------------------------------------------------------------------


def _without_marked(items: Items) -> Items:
    """Leave out folders that, by their names, hold neither a class nor a split."""
    groups = groups_of(items)
    marked = {name for name in groups if says_unlabeled(name) and not split_named(name)}
    if not marked or len(marked) == len(groups):
        return items
    return _unwrapped([item for name in groups if name not in marked for item in groups[name]])


def _with_splits(items: Items) -> Items:
    """Return the pictures in folders of splits, with their split, if the folders are splits."""
    groups = groups_of(items)
    siblings = splits_named(groups)
    named = {name: split for name, split in siblings.items() if split}
    inner = {name: _unwrapped([i.below(1) for i in groups[name]]) for name in named}
    structured = {name for name in named if len(groups_of(inner[name])) > 1}
    others = [groups[name] for name in groups if name not in siblings]
    is_sibling_deep = any(len(item.folders) > 1 for group in others for item in group)
    if "train" not in {named[name] for name in structured}:
        return items
    if len(structured) < 2 and is_sibling_deep:
        return items
    training = [item for name in structured if named[name] == "train" for item in inner[name]]
    known = {folder for item in training for folder in _places(item)}
    result: Items = []
    for name, split in named.items():
        chosen = inner[name] if split == "train" else _aligned(groups[name], known)
        result += [item.below(0, split) for item in chosen]
    return result


def _places(item: Item) -> set[tuple[int, str]]:
    """Return the folders of a picture with their levels."""
    return {(level, key_of(name)) for level, name in enumerate(item.folders)}


def _aligned(items: Items, known: set[tuple[int, str]]) -> Items:
    """Return pictures without the outer folders that those for training do not have.

    Parameters
    ----------
    items
        The pictures of another split.
    known
        The folders of the pictures for training, with their levels.

    Returns
    -------
    list
        None, if no folder has the name of one for training at the same level.
    """
    best: Items = []
    most = 0
    for depth in range(1, DEEPEST + 1):
        inside = [item.below(depth) for item in items if len(item.folders) > depth]
        matching = sum(not known.isdisjoint(_places(item)) for item in inside)
        if matching > most:
            best, most = inside, matching
    return best


def _with_inner_splits(items: Items, level: int) -> Items:
    """Read splits from the folders in the class folders, if those of all classes name them."""
    if any(item.split for item in items):
        return items
    inner = [item.folders[level] if len(item.folders) > level else "" for item in items]
    siblings = splits_named(sorted(set(inner)))
    splits = [siblings.get(name) or None for name in inner]
    named = set(splits)
    if None in named or "train" not in named or len(named) < 2:
        return items
    return [item.below(0, split) for item, split in zip(items, splits, strict=True)]


def _in_training(items: Items, level: int) -> Items:
    """Leave out folders of other splits that are not the name of a class for training."""
    training = {class_key(i.folders[level - 1]) for i in items if i.split == "train"}
    if not training:
        return items
    return [item for item in items if class_key(item.folders[level - 1]) in training]


# --- classes -----------------------------------------------------------------------------


def _labeled_part(items: Items) -> Items:
    """Return the pictures in the only folder of class folders, if its siblings have none."""
    groups = groups_of(items)
    deep = [g for g in groups.values() if all(len(item.folders) > 1 for item in g)]
    flat = [name for name, g in groups.items() if all(len(item.folders) == 1 for item in g)]
    if len(deep) != 1 or len(flat) != len(groups) - 1 or not flat:
        return items
    inside = [item.below(1) for item in deep[0]]
    names = list(groups_of(inside))
    if len(names) < 2 or all(map(is_generic, names)):
        return items
    if len(flat) > 1 and not all(map(says_apart, flat)):
        return items
    return _labeled_part(inside)


def _levels(items: Items) -> tuple[Level, ...]:
    """Return the levels with a possible number of classes."""
    levels = []
    for level in range(1, DEEPEST + 1):
        names = spellings(item.folders[level - 1] for item in items if len(item.folders) >= level)
        if 2 <= len(names) <= MAX_CLASSES:
            levels.append(Level(level, tuple(sorted(next(iter(each)) for each in names.values()))))
    return tuple(levels)


def _class_level(items: Items, levels: Sequence[Level]) -> int:
    """Return the level that names the classes: the outermost, unless a deeper one is plausible."""
    if not levels:
        return 1
    chosen = levels[0]
    for deeper in levels[1:]:
        if _names_classes(items, chosen, deeper):
            chosen = deeper
    return chosen.level


def _names_classes(items: Items, outer: Level, deeper: Level) -> bool:
    """Whether the deeper folders name the classes, and the outer ones only parts or patients."""
    if are_splits(deeper.names):
        return False
    if are_splits(outer.names):
        return _recur(items, deeper.level)
    if are_numbered(outer.names) and not are_numbered(deeper.names):
        return _recur(items, deeper.level)
    if are_numbered(outer.names) and not are_short_numbers(outer.names):
        return are_short_numbers(deeper.names) and _recur(items, deeper.level)
    if are_numbered(outer.names):
        is_smaller = len(deeper.names) < len(outer.names)
        return is_smaller and are_short_numbers(deeper.names) and _is_repeated(items, deeper)
    enough = len(outer.names) >= MIN_REPEATED and are_words(deeper.names)
    return enough and _is_repeated(items, deeper)


def _is_repeated(items: Items, level: Level) -> bool:
    """Whether nearly all folders around a level contain nearly all of its names."""
    deep = [item.folders for item in items if len(item.folders) >= level.level]
    around = {folders[: level.level - 1] for folders in deep}
    pairs = {(*f[: level.level - 1], class_key(f[level.level - 1])) for f in deep}
    return len(pairs) >= REPEATED * len(around) * len(level.names)


def _recur(items: Items, level: int) -> bool:
    """Whether most folders at a level have namesakes in the other folders next to their own."""
    parents: dict[str, set[tuple[str, ...]]] = {}
    for item in items:
        if len(item.folders) >= level:
            parents.setdefault(key_of(item.folders[level - 1]), set()).add(
                item.folders[: level - 1]
            )
    recurring = sum(len(each) > 1 for each in parents.values())
    return recurring * 2 > len(parents)


def _without_unlabeled(items: Items) -> Items:
    """Leave out folders next to class folders whose names say that they hold no class."""
    groups = groups_of(items)
    labeled = [
        name
        for name, group in groups.items()
        if not says_unlabeled(name) or any(len(item.folders) > 1 for item in group)
    ]
    if len(labeled) < 2:
        return items
    return [item for name in labeled for item in groups[name]]
