"""Docstrings of public names are numpydoc and agree with the signatures; their examples run."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import inspect
import re
from itertools import pairwise

import pytest

import workbench as wb

UNDERLINE = re.compile(r"-{3,}")
REFERENCE = re.compile(r"As for `(wb\.)?(\w+)`\.")
SET_IN_A_METHOD = re.compile(r"self\.(\w+)(?:: [^=\n]+)? = ")
MANY = 3
"""With more parameters than these, a method must describe them; with fewer, all or none."""


def public_names():
    return [name for name in wb.__all__ if not inspect.ismodule(getattr(wb, name))]


def documented():
    """Yield (label, object) of each public function, class, and public method of a class."""
    for name in public_names():
        value = getattr(wb, name)
        yield name, value
        for base in own_classes(value) if inspect.isclass(value) else ():
            for member, attribute in vars(base).items():
                function = getattr(attribute, "__func__", attribute)
                if inspect.isfunction(function) and not member.startswith("_"):
                    yield f"{name}.{member}", function


def own_classes(value):
    """Return a class and its bases that this project defines."""
    root = value.__module__.partition(".")[0]
    return [base for base in value.__mro__ if base.__module__.partition(".")[0] == root]


def sections(text):
    """Return the lines of a docstring by the title of their section; "" for those before it."""
    title, result = "", {"": []}
    for line, following in pairwise([*inspect.cleandoc(text).splitlines(), ""]):
        if UNDERLINE.fullmatch(following) and len(following) == len(line):
            title = line
            result[title] = []
        elif not UNDERLINE.fullmatch(line):
            result[title].append(line)
    return result


def descriptions(lines):
    """Return the text under each name of a section; grouped names share theirs."""
    result, group = {}, []
    for line in lines:
        if line and not line.startswith(" "):
            names = [name.strip(" *") for name in line.partition(" : ")[0].split(",")]
            group = [name for name in names if name.isidentifier()]
            result |= dict.fromkeys(group, "")
        else:
            result |= {name: f"{result[name]} {line.strip()}".strip() for name in group}
    return result


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name not in {"self", "cls"}]


def fields(value):
    """Return the public fields of a dataclass, or what the `__init__` of another class takes."""
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
    else:
        names = parameters(value.__init__) if "__init__" in vars(value) else []
    return [name for name in names if not name.startswith("_")]


def problems(label, value):
    """Return what is wrong with the docstring of a function, a class or a method."""
    by_title = sections(value.__doc__ or "")
    result = [
        f"{label}: an example is not under Examples"
        for title, lines in by_title.items()
        if title != "Examples" and any(line.lstrip().startswith(">>> ") for line in lines)
    ]
    if inspect.isclass(value):
        expected, titles = fields(value), ("Parameters", "Attributes")
        own = "".join(inspect.getsource(base) for base in own_classes(value))
        allowed = {*expected, *dir(value), *parameters(value), *SET_IN_A_METHOD.findall(own)}
    else:
        expected, titles = parameters(value), ("Parameters",)
        allowed = set(expected)
        if "." in label and "Parameters" not in by_title and len(expected) <= MANY:
            return result
    described = {}
    for title in titles:
        described |= descriptions(by_title.get(title, []))
    result += [f"{label}: {name} is not described" for name in expected if not described.get(name)]
    result += [f"{label}: {name} does not exist" for name in described if name not in allowed]
    for name, text in described.items():
        reference = REFERENCE.fullmatch(text)
        if reference and name not in described_by(label, *reference.groups()):
            result.append(f"{label}: {reference[2]} does not describe {name}")
    return result


def described_by(label, is_public, name):
    """Return the names that another function, or a method of the same class, describes."""
    other = getattr(wb if is_public else getattr(wb, label.partition(".")[0]), name)
    return descriptions(sections(other.__doc__ or "").get("Parameters", []))


@pytest.mark.slow
def test_docstrings_describe_the_signatures():
    wrong = [problem for label, value in documented() for problem in problems(label, value)]
    assert not wrong, "\n".join(wrong)


def undescribed(value, other):
    """Add numbers.

    Parameters
    ----------
    value
        One.

    >>> 1 + 1
    2
    """


def misnamed(value):
    """Return a number.

    Parameters
    ----------
    values, value
        Two.
    """


def empty(value, other):
    """Return a number.

    Parameters
    ----------
    value
    other
        As for `wb.model`.
    """


@dataclasses.dataclass
class WithoutAttributes:
    """A number."""

    number: int


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (undescribed, ["an example is not under Examples", "other is not described"]),
        (misnamed, ["values does not exist"]),
        (empty, ["value is not described", "model does not describe other"]),
        (WithoutAttributes, ["number is not described"]),
    ],
)
def test_a_wrong_docstring_is_noticed(value, expected, monkeypatch):
    monkeypatch.setattr(wb, "here", value, raising=False)
    assert problems("here", value) == [f"here: {text}" for text in expected]


def with_examples():
    return [name for name in public_names() if ">>> " in (getattr(wb, name).__doc__ or "")]


@pytest.mark.slow
@pytest.mark.usefixtures("first_language")
@pytest.mark.parametrize("name", with_examples())
def test_examples(name):
    value = getattr(wb, name)
    names = {"wb": wb, **vars(importlib.import_module(value.__module__))}
    for test in doctest.DocTestFinder(recurse=False).find(value, name, globs=names):
        report = []
        result = doctest.DocTestRunner().run(test, out=report.append)
        assert result.attempted or all(e.options for e in test.examples)
        assert not result.failed, "".join(report)
