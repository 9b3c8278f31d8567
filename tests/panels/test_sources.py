"""The script is bundled from several files; colors come from the palette only."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from workbench.panels import sources

FOLDER = files("workbench.panels")


def test_the_bundle_contains_every_file_and_no_imports_or_types():
    for folder, suffix, names in (("js", ".js", sources.SCRIPTS), ("css", ".css", sources.STYLES)):
        existing = {x.name for x in (FOLDER / folder).iterdir() if x.name.endswith(suffix)}
        assert existing == {f"{name}{suffix}" for name in names}
    script = sources.script()
    assert not re.search(r"^(import|export (?!default))", script, re.MULTILINE)
    assert script.count("export default") == 1
    assert not re.search(r"@(ts-check|import|param|typedef)", script)


@pytest.mark.parametrize("name", sources.SCRIPTS)
def test_imports_come_earlier_and_are_exported(name):
    text = (FOLDER / "js" / f"{name}.js").read_text("utf-8")
    for names, source in re.findall(
        r'^import \{([^}]*)\} from "\./(\w+)\.js";', text, re.MULTILINE
    ):
        assert sources.SCRIPTS.index(source) < sources.SCRIPTS.index(name)
        exported = (FOLDER / "js" / f"{source}.js").read_text("utf-8")
        for imported in (word.strip() for word in names.split(",")):
            pattern = rf"^export (async )?(function|class|const|let) {imported}\b"
            assert re.search(pattern, exported, re.MULTILINE), imported
            body = text.replace(f"import {{{names}}}", "")
            assert re.search(rf"\b{imported}\b", body), f"{imported} is imported and not used"


def test_top_level_names_are_unique():
    pattern = r"^(?:async )?(?:function|class|const|let) (\w+)"
    names = re.findall(pattern, sources.script(), re.MULTILINE)
    assert len(names) == len(set(names))


def test_nothing_is_fetched_from_other_servers():
    for text in (sources.script(), sources.styles()):
        assert not re.search(r"https?:|@import|url\(", text)


def test_style_files_contain_no_colors():
    for name in sources.STYLES:
        text = (FOLDER / "css" / f"{name}.css").read_text("utf-8")
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b", text), name
