"""What the names of folders say: splits, numbered parts, unlabeled pictures, masks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "trn": "train",
    "val": "validation",
    "valid": "validation",
    "validate": "validation",
    "validation": "validation",
    "dev": "validation",
    "devel": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
    "tst": "test",
    "eval": "test",
    "evaluation": "test",
}
SPLIT_NAME = re.compile(
    r"(?:(?:my|the|data|dataset|images?|img)[ _-]*)?([a-z]+)"
    r"(?:[ _-]*(?:set|data|images?|imgs?|split))?"
)

APART_WORDS = ("unlabeled", "unlabelled", "prediction", "predict", "pred", "submission", "holdout")
"""Words that, next to splits, say that the classes of the pictures are not known."""

GENERIC = re.compile(
    r"(?:image|img|photo|picture|pic|frame|raw|original|jpe?g|png|tiff?|data|file|crop)s?"
    r"|(?:session|day|part|batch|set|series|scene|run|camera|cam|patient|subject|person|case|slide"
    r"|folder|group|fold|week|month|visit|sample|[a-z])[ _-]*\d+"
    r"|[\d .:_-]+"
)
"""Names that say nothing about a class: media, numbered parts, dates and numbers."""

CLASS_WORDS = frozenset(
    ["class", "cls", "label", "category", "type", "kind", "grade", "stage", "level", "score"]
)
"""Words that make numbered folders classes."""

VIEWS = re.compile(
    r"left|right|front|back|rear|top|bottom|side|inside|outside|indoors?|outdoors?|morning|evening"
    r"|night|rgb|gr[ae]y(?:scale)?|depth|colou?rs?|augment(?:ed|ation)?|aug|resized|processed"
    r"|small|medium|large|easy|hard|old|new"
)
"""Names that, in folders of things, say how a picture was taken."""

UNLABELED = re.compile(
    r"(?:unlabel{1,2}ed|unsorted|unclassified|unannotated|untagged|to[ _-]?(?:predict|label|sort)"
    r"|preds?|predict(?:ions?)?|submission|hold[ _-]?out|tests?|testing|val|valid|validation|eval)"
    r"(?:[ _-]*(?:set|data|images?|imgs?|pictures?))?"
)
"""Names that say that the class of the pictures is not known."""

APART = re.compile(r"new|inbox|misc|extra|others?|rest|all|samples?|examples?|previews?")
"""Names that say so only where the other folders are of another kind."""

MASKS = re.compile(
    r"(?:^|[^a-z])(?:masks?|seg(?:mentation|mentations|ments?|s)?|gt|ground[ _-]?truth"
    r"|annotations?|labels?|trimaps?)(?:$|[^a-z])"
)
"""Names of folders and files of masks."""


def key_of(name: str) -> str:
    """Return what names that differ only in case or outer blanks have in common."""
    return " ".join(name.split()).casefold()


def class_key(name: str) -> str:
    """Return the same; the classes “A” and “a” are two letters."""
    return name.strip() if len(name.strip()) == 1 else key_of(name)


def split_named(name: str) -> str | None:
    """Return the split that a folder name says, if any."""
    match = SPLIT_NAME.fullmatch(key_of(name))
    return SPLIT_NAMES.get(match[1]) if match else None


def splits_named(names: Iterable[str]) -> dict[str, str]:
    """Return the splits that folders next to each other name.

    Parameters
    ----------
    names
        Names such as “train” and “test”, or such as “seg_train”, “seg_test” and “seg_pred”, which
        differ only in the word for a split, and in digits.

    Returns
    -------
    dict
        The split by name. It is empty for folders of pictures whose class is not known. Without a
        folder for training, “dev” is for training.
    """
    names = list(names)
    meanings = dict.fromkeys(APART_WORDS, "") | SPLIT_NAMES
    affixes: dict[tuple[str, str], dict[str, str]] = {}
    for name in names:
        for word, split in meanings.items():
            before, middle, after = key_of(name).rpartition(word)
            if middle:
                affixes.setdefault((_letters(before), _letters(after)), {})[name] = split
    result = {name: exact for name in names if (exact := split_named(name))}
    for group in affixes.values():
        if len(set(group.values())) > 1:
            result = group | result
    if "train" not in result.values() and "test" in result.values():
        result |= {
            n: "train" for n, split in result.items() if split == "validation" and "dev" in n
        }
    return result


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def is_generic(name: str) -> bool:
    """Whether a name says nothing about a class."""
    return GENERIC.fullmatch(key_of(name)) is not None


def are_numbered(names: Iterable[str]) -> bool:
    """Whether names number parts, such as patients: “8863” and “8867”, or “sub-01” and “sub-02”."""
    keys = list(map(key_of, names))
    stems = {_letters(key) for key in keys}
    same = len(stems) == 1 and all(map(re.compile(r"\d").search, keys))
    return all(map(is_generic, keys)) or (same and not stems & CLASS_WORDS)


def are_short_numbers(names: Iterable[str]) -> bool:
    """Whether names are numbers as classes have them, such as “0” and “1”."""
    return all(re.fullmatch(r"\d{1,2}", key_of(name)) for name in names)


def are_words(names: Iterable[str]) -> bool:
    """Whether each name may say a class: none numbers a part or names a view."""
    return not any(is_generic(name) or VIEWS.fullmatch(key_of(name)) for name in names)


def are_splits(names: Collection[str]) -> bool:
    """Whether all names are those of splits."""
    return len(splits_named(names)) == len(names)


def says_unlabeled(name: str) -> bool:
    """Whether a name says that the class of its pictures is not known."""
    return UNLABELED.fullmatch(key_of(name)) is not None


def says_apart(name: str) -> bool:
    """Whether a name may say so, next to a folder of class folders."""
    return says_unlabeled(name) or APART.fullmatch(key_of(name)) is not None


def says_mask(name: str) -> bool:
    """Whether the name of a folder, or of a file without its ending, says that it holds masks."""
    return MASKS.search(key_of(name)) is not None


def spellings(names: Iterable[str]) -> dict[str, Counter[str]]:
    """Return how often each spelling of a class occurs, the most frequent first, by its key."""
    counts: dict[str, Counter[str]] = {}
    for name in names:
        counts.setdefault(class_key(name), Counter())[" ".join(name.split())] += 1
    return {
        key: Counter(dict(sorted(each.items(), key=lambda item: (-item[1], item[0]))))
        for key, each in counts.items()
    }
