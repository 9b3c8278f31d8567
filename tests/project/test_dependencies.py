"""The dependencies are listed in four places that must agree."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
CONDA_NAMES = {
    "jupyter-client": "jupyter_client",
    "jupyter-server": "jupyter_server",
    "torch": "pytorch-cpu",
}
IMPORT_NAMES = {
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "IPython": "ipython",
    "yaml": "pyyaml",
    "importlinter": "import-linter",
    "xdist": "pytest-xdist",
}
OURS = {"benchmarks", "tests", "workbench"}


@cache
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def ranges(requirements):
    """Return {name: range} of requirement strings such as ``torch>=2.6``."""
    matches = [re.fullmatch(r"([A-Za-z0-9_-]+)(?:\[.*\])?\s*(.*)", text) for text in requirements]
    return {match[1]: match[2] for match in matches}


def runtime():
    return ranges(project()["dependencies"])


def tools():
    return ranges(project()["optional-dependencies"]["test"])


def breadth():
    """Return the optional libraries that one benchmark takes networks from."""
    return ranges(project()["optional-dependencies"]["breadth"])


def studies():
    """Return the optional libraries of studies, which their benchmarks need."""
    extras = project()["optional-dependencies"]
    return ranges([*extras["study"], *extras["cluster"]])


def website():
    return ranges(project()["optional-dependencies"]["docs"])


def inference():
    extras = project()["optional-dependencies"]
    names = ("onnx", "openvino", "keras", "executorch", "litert")
    packages = ranges(requirement for name in names for requirement in extras[name])
    return {**packages, "litert-torch": ""}  # only in an environment of its own


def javascript():
    return json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]


def imported(folder):
    """Return the third-party packages that Python files under `folder` import."""
    names = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module.partition(".")[0])
    local = {
        name
        for near in (folder, "benchmarks")
        for path in (ROOT / near).rglob("*.py")
        for name in (path.stem, path.parent.name)
    }
    third_party = names - OURS - local - set(sys.stdlib_module_names)
    return {IMPORT_NAMES.get(name, name.replace("_", "-")) for name in third_party}


@pytest.mark.slow
def test_every_import_of_the_package_is_declared():
    assert imported("workbench") - runtime().keys() - inference().keys() == set()


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["tests", "benchmarks"])
def test_every_import_of_tests_and_benchmarks_is_declared(folder):
    extra = breadth().keys() | studies().keys() if folder == "benchmarks" else set()
    assert imported(folder) - runtime().keys() - tools().keys() - extra == set()


FROM_PIP = {"torch-pruning"}  # not on conda-forge; `-e .` installs it


def test_conda_environment_has_the_same_names_and_ranges():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    packages = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    conda = ranges(packages)
    assert conda.pop("python") == project()["requires-python"]
    assert conda.pop("pip") == ""
    assert conda == {
        CONDA_NAMES.get(name, name): version
        for name, version in runtime().items()
        if name not in FROM_PIP
    }
    assert environment["dependencies"][-1] == {"pip": ["-e ."]}


def test_constraints_pin_every_dependency_inside_its_range():
    pins = constraints()
    for name, wanted in {**runtime(), **tools(), **website()}.items():
        assert version(pins[name]) >= version(wanted.removeprefix(">=")), name


@pytest.mark.parametrize("python", ["3.11.0", "3.12.0", "3.13.0", "3.14.0"])
def test_constraints_can_be_installed_with_the_first_release_of_each_python(python):
    packages = {name: metadata(name) for name in constraints() if is_installed(name)}
    assert packages.keys() >= runtime().keys()
    required = {name: package.get("Requires-Python", "") for name, package in packages.items()}
    refused = {name: text for name, text in required.items() if python not in SpecifierSet(text)}
    assert refused == {}


def test_the_versions_of_javascript_tools_are_exact():
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in javascript().values())


def test_every_dependency_is_explained():
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `([a-z0-9@/-]+)` \| \S", text, re.MULTILINE))
    groups = (runtime(), tools(), website(), breadth(), javascript())
    assert explained == {name for group in groups for name in group}


def constraints():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    return {name.lower().replace("_", "-"): version for name, version in pins.items()}


def is_installed(name):
    try:
        metadata(name)
    except PackageNotFoundError:  # of an extra that the tests do not need
        return False
    return True


def version(text):
    return tuple(int(part) for part in text.split(".") if part.isdigit())
