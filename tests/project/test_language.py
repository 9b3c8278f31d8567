"""The project is written in plain technical English: words that it does not use are not there."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKED = (
    "workbench",
    "notebooks",
    "docs",
    "README.md",
    "CONTRIBUTING.md",
    "mkdocs.yml",
    "Makefile",
)
SUFFIXES = {".css", ".ipynb", ".j2", ".js", ".md", ".pot", ".py", ".yml", ""}

# Phrases that are not used in any text or name, with what to write.
PHRASES = {
    r"drawn? by lot|by lot\b|drawing lots": "random",
    r"\banew\b": "again; recompute",
    r"\bbesides?\b": "next to; in addition to",
    r"\bhangs? (?:on|together)\b|\bhanging on\b": "depends on",
    r"\bmak(?:es?|ing) good\b|\bmade good\b": "compensates",
    r"\bw[io]n(?:ning|s)? (?:it |them )?back\b": "recover; fine-tune",
    r"\btold\b|\btells? (?:of|apart)\b": "described; reported; distinguish",
    r"\bsomebody\b|\bnobody\b|\bwhoever\b|\banybody\b|\beverybody\b": "a user; no caller",
    r"\b(?:a|the|one) person(?:'s)?\b|\bpeople's\b": "a user",
    r"\bmend(?:s|ed|ing)?\b": "fix; repair",
    r"\bbears?\b|\bbearing\b|\bborne\b": "tolerates",
    r"\bjudg(?:e|es|ed|ing)\b|\bverdicts?\b": "reference evaluation; reference prediction",
    r"\bsieves?\b": "fast path",
    r"\bevidence\b": "calibration statistics",
    r"\blessons?\b": "training setup (allowed for lessons of a course)",
    r"\bopinions?\b": "teacher prediction",
    r"\bgauges?\b": "running metric",
    r"\bportions?\b": "microbatch; part",
    r"\bstand-ins?\b": "preview",
    r"\b(?:lest|heed|whereof|thereof|hitherto|moreover|naught)\b": "a plain conjunction, or none",
    r"\bgives? (?:it )?up\b|\bgiven up\b": "stop; cancel; discard",
    r"\btakes? up again\b|\btaken up again\b": "resume",
    r"\bof (?:one's|its|their|his|your|my) own accord\b": "automatically",
    r"\bin words\b|\bin a sentence\b": "as an error message",
    r"\b(?:quant|optim|normal|equal|factor|recogn|initial|serial|organ|general|regular|summar|minim"
    r"|maxim|standard|visual|synchron|special|final|central|penal|real)is(?:e|es|ed|ing|ation|er)\b"
    r"|\banalys(?:e|ed|ing)\b|\bcolours?\b|\bcoloured\b|\bgrey\b|\bneighbour"
    r"|\bcentre[sd]?\b|\bbehaviour|\bfavour|\blicence\b|\bcatalogue\b|\bmodell(?:ed|ing)\b"
    r"|\blabell(?:ed|ing)\b": "American spelling",
}

# Words that are good English and bad names: they do not say what a value is.
NAMES = frozenset(
    [
        "anew",
        "asked",
        "beside",
        "brought",
        "done",
        "due",
        "evidence",
        "form",
        "forms",
        "found",
        "gauge",
        "grid",
        "grids",
        "judge",
        "kept",
        "left",
        "lesson",
        "lot",
        "made",
        "moment",
        "moments",
        "one",
        "own",
        "plain",
        "portion",
        "sieve",
        "some",
        "told",
        "view",
        "wanted",
        "what",
        "whole",
        "why",
    ]
)

# Where a phrase or name is right, and the reason.
EXCEPTIONS = {
    ("workbench/session/records.py", "view"): "the name of a view in the app",
}


def files():
    """Return the tracked files that are checked."""
    command = ["git", "ls-files", "-z", "--", *CHECKED]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    paths = [Path(name) for name in listed.decode().split("\0") if name]
    return [path for path in paths if path.suffix in SUFFIXES]


FILES = files()


def text_of(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return text


def python_of(path):
    if path.suffix == ".py":
        return ast.parse(text_of(path))
    if path.suffix == ".ipynb":
        cells = json.loads((ROOT / path).read_text(encoding="utf-8"))["cells"]
        return ast.parse("\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code"))
    return ast.Module([], [])


def defined_names(tree):
    """Yield (line, name) of every name that Python code defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


@pytest.mark.slow
@pytest.mark.check
@pytest.mark.parametrize("path", FILES, ids=str)
def test_phrases(path):
    text = text_of(path)
    wrong = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]!r} -> {better}"
        for phrase, better in PHRASES.items()
        for match in re.finditer(phrase, text, re.IGNORECASE)
        if (path.as_posix(), match[0].lower()) not in EXCEPTIONS
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.check
@pytest.mark.parametrize("path", [p for p in FILES if p.suffix in {".py", ".ipynb"}], ids=str)
def test_names(path):
    wrong = [
        f"{path}:{line}: {name}"
        for line, name in defined_names(python_of(path))
        if name.strip("_").lower() in NAMES and (path.as_posix(), name) not in EXCEPTIONS
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("source", "name"),
    [("found = 1", "found"), ("def told(): ...", "told"), ("def f(whole): ...", "whole")],
)
def test_a_banned_name_is_noticed(source, name):
    assert [n for _, n in defined_names(ast.parse(source)) if n.strip("_") in NAMES] == [name]


@pytest.mark.parametrize("text", ["drawn by lot", "it hangs on the seed", "a person's module"])
def test_a_banned_phrase_is_noticed(text):
    assert any(re.search(phrase, text, re.IGNORECASE) for phrase in PHRASES)
