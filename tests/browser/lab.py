"""Notebooks in JupyterLab, as users see them."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

TIMEOUT = 120_000  # ms
THEMES = "lab/api/settings/@jupyterlab/apputils-extension:themes"
HEADERS = {"Authorization": "token secret", "Content-Type": "application/json"}
THEME_NAMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

IS_OPEN = "'jupyterapp' in window"
CHANGE_THEME = "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
# Opens a notebook in place of all others, without their kernels.
OPEN = """async (path) => {
  const { commands, serviceManager, shell } = window.jupyterapp;
  for (const widget of [...shell.widgets("main")]) widget.dispose();
  await serviceManager.sessions.shutdownAll();
  await commands.execute("docmanager:open", { path });
}"""

# Pairs of visible texts below a selector whose boxes overlap, and the number of boxes.
OVERLAPS = Path(__file__).with_name("overlaps.js").read_text("utf-8")


class Lab:
    """A JupyterLab server, in a folder for notebooks."""

    def __init__(self, server, folder):
        self.server = server
        self.root = server.url.partition("lab/tree")[0]
        self.folder = folder
        self.names = (f"test{number}.ipynb" for number in count())
        self.shared = None

    def page(self, context):
        """Return the page that tests share; a new one if it was closed."""
        if self.shared is None or self.shared.is_closed():
            self.shared = context.new_page()
        return self.shared

    def open(self, page, *cells, theme="light"):
        """Open a notebook of these cells in `page`, and return its path."""
        name = next(self.names)
        path = self.folder / name
        path.write_text(json.dumps(notebook(cells)), encoding="utf-8")
        if page.evaluate(IS_OPEN):
            page.evaluate(CHANGE_THEME, THEME_NAMES[theme])
        else:
            setting = json.dumps({"raw": json.dumps({"theme": THEME_NAMES[theme]})})
            answer = page.request.put(self.root + THEMES, data=setting, headers=HEADERS)
            assert answer.ok, answer.text()
        self.open_file(page, name)
        return path

    def open_file(self, page, name):
        """Open a notebook of the folder in `page`, without earlier tabs and kernels."""
        page.set_default_timeout(TIMEOUT)
        if page.evaluate(IS_OPEN):
            page.evaluate(OPEN, name)
        else:
            self.stop_kernels(page)
            page.goto(f"{self.root}lab/tree/{name}?token=secret&reset")
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()

    def run(self, page, *cells, theme="light"):
        """Open a notebook of these cells, and start running all of them."""
        path = self.open(page, *cells, theme=theme)
        self.run_all_cells(page)
        return path

    def run_all_cells(self, page):
        """Start running all cells of the notebook that `page` shows."""
        page.get_by_text("Run", exact=True).first.click()
        page.get_by_text("Run All Cells", exact=True).click()

    def run_cell(self, page, number):
        """Start running one cell."""
        page.locator(".jp-CodeCell .cm-content").nth(number).click()
        page.keyboard.press("Shift+Enter")

    def stop_kernels(self, page):
        """Shut down the kernels of earlier notebooks."""
        for session in page.request.get(self.root + "api/sessions", headers=HEADERS).json():
            page.request.delete(f"{self.root}api/sessions/{session['id']}", headers=HEADERS)

    def set_theme(self, page, theme):
        """Choose a theme in the menu."""
        page.get_by_text("Settings", exact=True).first.click()
        page.locator(".lm-Menu-item", has_text="Theme").first.hover()
        page.get_by_text(THEME_NAMES[theme], exact=True).click()

    def saved(self, page, path):
        """Save the notebook that `page` shows, and return its outputs by MIME type."""
        before = path.read_text("utf-8")
        page.keyboard.press("Control+s")
        text = self.server.until(lambda: changed(path, before), "the saved notebook")
        outputs = [output for cell in json.loads(text)["cells"] for output in cell["outputs"]]
        return [output["data"] for output in outputs if "data" in output]


def changed(path, before):
    text = path.read_text("utf-8")
    return text if text != before else None


def notebook(cells):
    """Return a notebook of code cells."""
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell{number}",
                "execution_count": None,
                "metadata": {},
                "outputs": [],
                "source": source,
            }
            for number, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
