"""The language of the page: chosen by a button, by the address or by the reader's browser."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from workbench import i18n
from workbench.panels.views.labels import page_labels
from workbench.recipe import Prune, Recipe

pytestmark = pytest.mark.usefixtures("first_language")

CHINESE = re.compile("[\u4e00-\u9fff]")


def shown(client):
    labels = client.last("page")["labels"]
    return labels["lang"], labels["undo"]


def display(client, **more):
    """Display the page: as a browser does, or with a `view` as the button for the language does."""
    client.act("hello", search="", theme="light", **more)


def test_a_button_changes_all_texts_and_back(client):
    display(client)
    assert shown(client) == ("en", "undo")
    recipe = Recipe(prune=Prune(0.3))
    client.session.set(recipe)
    client.wait_until_idle()
    display(client, view={"lang": "zh"})
    assert client.session.recipe == recipe
    assert shown(client) == ("zh", "撤销")
    page = client.last("page")
    parts = page["parts"]
    texts = [part["title"] for part in parts]
    texts += [field["label"] for part in parts for field in part["fields"]]
    texts += [tab["label"] for tab in page["tabs"]]
    assert all(CHINESE.search(text) for text in texts if text != "dropout"), texts
    assert CHINESE.search(client.last("state")["numbers"]["status"])
    assert CHINESE.search(client.last("chart")["figure"]["layout"]["title"]["text"])
    display(client, view={"lang": "en"})
    assert shown(client) == ("en", "undo")


@pytest.mark.parametrize(
    ("languages", "view", "expected"),
    [
        (["zh-CN", "en"], {}, "zh"),
        (["fr", "zh-TW"], {}, "zh"),
        (["en-US", "zh"], {}, "en"),
        (["fr"], {}, "en"),
        ([], {}, "en"),
        (None, {}, "en"),
        ([None, 3, "zh"], {}, "zh"),
        (["zh-CN"], {"lang": "en"}, "en"),
        (["en"], {"lang": "zh"}, "zh"),
    ],
)
def test_the_address_comes_before_the_browser(client, languages, view, expected):
    display(client, languages=languages, view=view)
    assert shown(client)[0] == expected


def test_another_display_keeps_the_language_that_was_chosen(client):
    display(client, languages=["zh-CN"])
    display(client, languages=["zh-CN"], view={"lang": "en"})
    display(client, languages=["zh-CN"])
    assert shown(client)[0] == "en"


@pytest.mark.parametrize("lang", ["fr", "", None, 3, ["zh"]])
def test_an_unknown_language_changes_nothing(client, lang):
    display(client, view={"lang": lang})
    assert shown(client) == ("en", "undo")


def test_an_unknown_language_in_the_address_is_named(client):
    display(client, view={"lang": "fr"})
    assert client.last("state")["error"] == (
        "The link has lang=fr, which is ignored; allowed: en, zh."
    )


@pytest.mark.parametrize(
    ("value", "language", "warning"), [("zh", "zh", ""), ("", "en", ""), ("fr", "en", "en, zh")]
)
def test_the_environment_chooses_the_first_language(value, language, warning):
    code = (
        "from workbench import i18n; i18n.suggest_languages(['en'] if i18n.language() == 'zh' "
        "else []); print(i18n.language())"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env={i18n.VARIABLE: value},
    )
    assert process.stdout.strip() == language
    assert warning in process.stderr
    assert bool(warning) == ("WORKBENCH_LANG is 'fr'" in process.stderr)


def test_each_language_names_the_other():
    assert page_labels()["other_language"] == "中文"
    i18n.choose_language("zh")
    assert page_labels()["other_language"] == "English"
