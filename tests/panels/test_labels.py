"""Every word a person reads comes from the catalogue; the script holds none."""

from __future__ import annotations

import gettext
import re

import pytest

from workbench import i18n
from workbench.panels import sources
from workbench.panels.comparing.tab import views
from workbench.recipe import Prune, Quantize, Recipe

# What is not prose: numbers with their units, and proper names.
PROPER = re.compile(r"^[\W\d_]*(?:[kMG]?B|F1|JSON|Python|Workbench|float32|bf16|fp16)?[\W\d_]*$")


class Marked(gettext.NullTranslations):
    """A language in which every sentence stands in brackets."""

    def gettext(self, message):
        return f"⟦{message}⟧"

    def ngettext(self, one, many, count):
        return f"⟦{one if count == 1 else many}⟧"


@pytest.fixture
def brackets():
    before = i18n._catalog
    i18n.set_catalog(Marked())
    yield
    i18n.set_catalog(before)


def test_every_word_is_translated(brackets, wire):
    wire.act("hello", search="", theme="dark")
    recipe = Recipe(prune=Prune(0.3), quantize=Quantize(8))
    wire.act("budget", value=50_000)
    wire.act("floor", value=0.85)
    wire.session.set(recipe)
    wire.settled()
    for tab in wire.last("page")["tabs"]:
        wire.act("tab", key=tab["key"])
    wire.act("tab", key="changed", columns=8)
    for view in views(wire.session.model.task):
        wire.act("look", key="view", value=view.key)
        wire.wait("tab", lambda told, view=view: shows(told, view.key))
    wire.act("tab", key="bytes")
    wire.act("look", key="areas", value=True)
    tensors = [*wire.session.model.card["tensors"]]
    wire.act("hello", search="?nonsense=1", theme="light")
    tensors += wire.session.model.card["tensors"]  # a bad link opens the default model
    bare = [
        found
        for message, _ in wire.view.sent
        for found in said(message)
        if not spoken_for(found, tensors)
    ]
    assert not bare


def shows(message, view):
    return message.get("figure") and message["controls"][0]["value"] == view


def said(message):
    """Yield the texts of a message that a person reads."""
    kind = message["kind"]
    if kind == "page":
        yield from message["words"].values()
        yield from (tab["label"] for tab in message["tabs"])
        for preset in message["presets"]:
            yield from (preset["label"], preset["help"])
        for part in message["parts"]:
            yield part["title"]
            for field in part["fields"]:
                yield from (field["label"], field["help"])
                for choice in field["choices"]:
                    yield choice["label"]
        for fact in message["header"]["facts"]:
            yield from (fact["value"], fact["label"], fact["help"])
    elif kind == "state":
        numbers = message["numbers"]
        names = ("interval", "times", "judged", "spoken")
        yield from (numbers[name] for name in names)
        for fact in numbers["facts"]:
            yield from (fact["label"], fact["help"])
        yield from numbers["reasons"]
        yield from (message[name] for name in ("error", "note") if message[name])
    elif kind in {"picture", "tab"}:
        yield from shown(message)


def shown(message):
    yield from drawn(message.get("figure", {}))
    table = message.get("table", {})
    yield from table.get("head", [])
    yield from (table[name] for name in ("empty", "action", "foot") if table.get(name))
    yield from (table[name]["text"] for name in ("button",) if name in table)
    yield from (row["cells"][0] for row in table.get("rows", []))
    yield from (one["title"] for one in message.get("texts", []))
    yield from (message[name] for name in ("note",) if name in message)
    for control in message.get("controls", []):
        yield from (control[name] for name in ("label", "text") if name in control)
        yield from (choice["label"] for choice in control.get("choices", []))


def drawn(figure):
    if not figure:
        return
    layout = figure["layout"]
    yield layout["title"]["text"]
    axes = (layout.get(axis, {}) for axis in ("xaxis", "yaxis"))
    yield from (axis["title"]["text"] for axis in axes if "title" in axis)
    yield from (note["text"] for note in layout.get("annotations", []))
    for trace in figure["data"]:
        texts = trace.get("text", [])
        yield from (one for i18n in texts for one in (i18n if isinstance(i18n, list) else [i18n]))
        if "title" in trace.get("colorbar", {}):
            yield trace["colorbar"]["title"]["text"]
        if trace["type"] == "treemap":
            yield from trace["labels"]
            yield from (i18n for i18n in trace["hovertemplate"].split("<br>") if "%" not in i18n)
        if trace.get("showlegend", layout["showlegend"]):
            yield trace["name"]


def spoken_for(found, tensors):
    """Whether what is left outside of the brackets is no prose."""
    rest, before = found, None
    while rest != before:  # sentences stand inside sentences
        rest, before = re.sub(r"⟦[^⟦⟧]*⟧", "", rest), rest
    rest = re.sub(r"\u202f(bytes?|points)", "", rest)
    rest = re.sub(r"<[^<>]*>", "", rest)
    for name in tensors:
        rest = rest.replace(name, "")
    return PROPER.match(rest) or not re.search(r"[a-z]{3}", rest)


def test_the_script_has_no_words():
    """A text literal that holds a space and letters, or starts like a sentence, would be one."""
    code = re.sub(r"^\s*//.*$|\s//\s.*$", "", sources.script(), flags=re.MULTILINE)
    prose = [
        literal
        for literal in re.findall(r'"((?:[^"\\\n]|\\.)*)"', code)
        if re.match(r"^[A-Z][a-z]+ ?[a-z ]*[.!?]?$", literal) and literal not in KEYS
    ]
    assert not prose
    for match in re.findall(r'(?:text|title|placeholder|"aria-label"): "([^"]+)"', code):
        assert not re.search(r"[A-Za-z]{2}", match), match


KEYS = {"ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "Escape", "Arrow"}
