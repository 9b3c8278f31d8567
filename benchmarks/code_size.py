"""Count the package's code: lines, files, import cycles and duplicated blocks.

Lines of code are those that hold a token other than a comment or a docstring. A duplicated block is
what pylint's duplicate-code check reports with nothing ignored: six or more equal lines in two or
more files, docstrings, imports and signatures included.

    python benchmarks/code_size.py [--root FOLDER]
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import statistics
import subprocess
import sys
import tokenize
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

sys.path.insert(0, str(Path(__file__).parents[1]))

import _table

PACKAGE = "workbench"
IGNORED = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    root = parser.parse_args().root
    paths = sorted((root / PACKAGE).rglob("*.py"))
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    lengths = [len(text.splitlines()) for text in texts.values()]
    cycles = import_cycles({module_of(path, root): text for path, text in texts.items()})
    rows = [
        ("lines of code", f"{sum(code_lines(text) for text in texts.values()):,}"),
        ("lines", f"{sum(lengths):,}"),
        ("files", f"{len(paths):,}"),
        ("median lines of a file", f"{statistics.median(lengths):.0f}"),
        ("longest file", f"{max(lengths)}"),
        ("files over 400 lines", f"{sum(length > 400 for length in lengths)}"),
        ("files in import cycles", f"{sum(map(len, cycles))}"),
        ("duplicated blocks", f"{duplicated_blocks(root)}"),
    ]
    print(_table.table(("of the package", "count"), rows))
    for cycle in cycles:
        print("cycle:", ", ".join(cycle))


def code_lines(text: str) -> int:
    """Return how many lines of a module hold code."""
    docstrings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in IGNORED
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(lines - docstrings)


def module_of(path: Path, root: Path) -> str:
    """Return the dotted name of the module at `path`."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def import_cycles(sources: dict[str, str]) -> list[list[str]]:
    """Return groups of modules that import each other, type-only and late imports included."""
    names = list(sources)
    number = {name: index for index, name in enumerate(names)}
    edges: set[tuple[int, int]] = set()
    for name, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            targets = []
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                full = [f"{node.module}.{alias.name}" for alias in node.names]
                targets = [name if name in number else node.module for name in full]
            edges |= {(number[name], number[target]) for target in targets if target in number}
    rows, columns = zip(*sorted(edges), strict=True)
    graph = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(names), len(names)))
    count, labels = connected_components(graph, connection="strong")
    groups = [[names[i] for i in np.flatnonzero(labels == label)] for label in range(count)]
    return [group for group in groups if len(group) > 1]


def duplicated_blocks(root: Path) -> int:
    """Return how many blocks of six or more lines pylint finds in several files."""
    options = ["--disable=all", "--enable=duplicate-code", "--min-similarity-lines=6"]
    kinds = ("comments", "docstrings", "imports", "signatures")
    options += [f"--ignore-{kind}=no" for kind in kinds]
    command = [sys.executable, "-m", "pylint", *options, PACKAGE]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode & 32:  # pylint's status for a usage error
        raise SystemExit(result.stderr)
    return len(re.findall(r"R0801", result.stdout))


if __name__ == "__main__":
    main()
