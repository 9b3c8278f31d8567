"""The script is one module made of readable files; colours come from the palette alone."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from workbench.panels import sources

FOLDER = files("workbench.panels")


def test_every_file_is_in_and_none_imports_another_any_more():
    for folder, suffix, names in (("js", ".js", sources.SCRIPTS), ("css", ".css", sources.STYLES)):
        found = {item.name for item in (FOLDER / folder).iterdir() if item.name.endswith(suffix)}
        assert found == {f"{name}{suffix}" for name in names}
    script = sources.script()
    assert not re.search(r"^(import|export (?!default))", script, re.MULTILINE)
    assert script.count("export default") == 1


@pytest.mark.parametrize("name", sources.SCRIPTS)
def test_what_a_file_imports_comes_before_it_and_is_exported(name):
    text = (FOLDER / "js" / f"{name}.js").read_text("utf-8")
    for names, source in re.findall(
        r'^import \{([^}]*)\} from "\./(\w+)\.js";', text, re.MULTILINE
    ):
        assert sources.SCRIPTS.index(source) < sources.SCRIPTS.index(name)
        exported = (FOLDER / "js" / f"{source}.js").read_text("utf-8")
        for wanted in (word.strip() for word in names.split(",")):
            pattern = rf"^export (async )?(function|class|const|let) {wanted}\b"
            assert re.search(pattern, exported, re.MULTILINE), wanted
            body = text.replace(f"import {{{names}}}", "")
            assert re.search(rf"\b{wanted}\b", body), f"{wanted} is imported and not used"


def test_top_level_names_are_unique():
    pattern = r"^(?:async )?(?:function|class|const|let) (\w+)"
    names = re.findall(pattern, sources.script(), re.MULTILINE)
    assert len(names) == len(set(names))


def test_nothing_is_fetched_from_elsewhere():
    for text in (sources.script(), sources.styles()):
        assert not re.search(r"https?:|@import|url\(", text)


def test_style_files_name_no_colours():
    for name in sources.STYLES:
        text = (FOLDER / "css" / f"{name}.css").read_text("utf-8")
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b", text), name
