"""All displayed text comes from the translation catalog; the script contains none."""

from __future__ import annotations

import gettext
import re

import pytest

from workbench import i18n
from workbench.panels import sources
from workbench.panels.comparison.tab import views
from workbench.planner.chips import chips
from workbench.recipe import Prune, Quantize, Recipe

# What is not prose: numbers with their units, and proper names.
PROPER = re.compile(r"^[\W\d_]*(?:[kMG]?B|F1|JSON|Python|Workbench|float32|bf16|fp16)?[\W\d_]*$")


class Marked(gettext.NullTranslations):
    """A language in which every text is in brackets."""

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


@pytest.mark.slow
def test_all_text_is_translated(brackets, client):
    client.act("hello", search="", theme="dark")
    recipe = Recipe(prune=Prune(0.3), quantize=Quantize(8))
    client.act("budget", value=50_000)
    client.act("floor", value=0.85)
    client.session.set(recipe)
    client.wait_until_idle()
    for tab in client.last("page")["tabs"]:
        client.act("tab", key=tab["key"])
    client.act("tab", key="comparison", columns=8)
    for view in views(client.session.model.task):
        client.act("focus", key="view", value=view.key)
        client.wait("tab", lambda tab, view=view: shows(tab, view.key))
    client.act("tab", key="bytes")
    client.act("focus", key="areas", value=True)
    tensors = [
        *client.session.model.card["tensors"],
        *(chip.title for chip in chips().values()),
        *chips(),
    ]
    client.act("hello", search="?nonsense=1", theme="light")
    tensors += client.session.model.card["tensors"]  # an invalid link opens the default model
    untranslated = [
        text
        for message, _ in client.dashboard.sent
        for text in texts(message)
        if not is_translated(text, tensors)
    ]
    assert not untranslated


def shows(message, view):
    return message.get("figure") and message["controls"][0]["value"] == view


def texts(message):
    """Yield the texts of a message that the page displays."""
    kind = message["kind"]
    if kind == "page":
        yield from message["labels"].values()
        yield from (x["label"] for x in (*message["pages"], *message["tabs"]))
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
        if numbers is None:  # the results belong to earlier values
            return
        yield from (message["plane"]["title"], *(m["label"] for m in message["plane"]["marks"]))
        yield from number_texts(numbers)
        yield from (message[name] for name in ("error", "note") if message[name])
    elif kind in {"chart", "tab"}:
        yield from tab_texts(message)


def number_texts(numbers):
    names = ("interval", "original", "times", "status", "announcement", "more")
    yield from (numbers[name] for name in names)
    for fact in numbers["facts"]:
        yield from (fact["label"], fact["help"])
    yield from numbers["reasons"]


def tab_texts(message):
    yield from figure_texts(message.get("figure", {}))
    table = message.get("table", {})
    yield from table.get("head", [])
    yield from (table[name] for name in ("empty", "action", "foot") if table.get(name))
    yield from (table[name]["text"] for name in ("button",) if name in table)
    yield from (table[name] for name in ("caption",) if name in table)
    for row in table.get("rows", []):
        yield row[0] if isinstance(row, list) else row["cells"][0]
    yield from (section["title"] for section in message.get("texts", []))
    yield from (message[name] for name in ("note",) if name in message)
    for control in message.get("controls", []):
        yield from (control[name] for name in ("label", "text") if name in control)
        yield from (choice["label"] for choice in control.get("choices", []))


def figure_texts(figure):
    if not figure:
        return
    layout = figure["layout"]
    yield layout["title"]["text"]
    axes = (layout.get(axis, {}) for axis in ("xaxis", "yaxis"))
    yield from (axis["title"]["text"] for axis in axes if "title" in axis)
    yield from (note["text"] for note in layout.get("annotations", []))
    for trace in figure["data"]:
        for text in trace.get("text", []):
            yield from text if isinstance(text, list) else [text]
        if "title" in trace.get("colorbar", {}):
            yield trace["colorbar"]["title"]["text"]
        if trace["type"] == "treemap":
            yield from trace["labels"]
            yield from (x for x in trace["hovertemplate"].split("<br>") if "%" not in x)
        if trace.get("showlegend", layout["showlegend"]):
            yield trace["name"]


def is_translated(text, tensors):
    """Whether the text outside of brackets contains no words."""
    rest, before = text, None
    while rest != before:  # brackets may be nested
        rest, before = re.sub(r"⟦[^⟦⟧]*⟧", "", rest), rest
    rest = re.sub(r"\u202f(bytes?|points)", "", rest)
    rest = re.sub(r"<[^<>]*>", "", rest)
    for name in tensors:
        rest = rest.replace(name, "")
    return PROPER.match(rest) or not re.search(r"[a-z]{3}", rest)


def test_the_script_contains_no_text():
    """No string literal starts like a sentence."""
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
