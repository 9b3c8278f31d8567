"""Commands that look at tensor files: what a recipe would change, and what two files differ in."""

from __future__ import annotations

import argparse
from typing import Any

from workbench.cli.files import summary
from workbench.cli.recipes import read_recipe
from workbench.errors import InputError
from workbench.progress import progress_bar
from workbench.recipe import Recipe


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Compare two tensor files."""
    from workbench.streaming.compare import compare_files

    with progress_bar("comparing") as advance:
        changes = compare_files(options.before, options.after, on_progress=advance)
    return {"before": options.before, "after": options.after, **changes.as_dict()}


def inspect(options: argparse.Namespace) -> dict[str, Any]:
    """Describe a Workbench file, or what a recipe would do to a checkpoint."""
    from workbench.artifact.on_disk import OnDiskArtifact
    from workbench.streaming.compare import compare_files
    from workbench.streaming.inspect_checkpoint import inspect_checkpoint
    from workbench.streaming.stored_tensors import is_workbench_file

    recipe = read_recipe(options)
    if is_workbench_file(options.file):
        if recipe != Recipe():
            raise InputError(
                f"{options.file} is a Workbench file and holds its recipe: inspect the original to "
                "see what another recipe would do.",
                code="cli.recipe_of_a_workbench_file",
            )
        result = {"file": options.file, **summary(OnDiskArtifact.open(options.file))}
        if options.original is not None:
            result["changes"] = compare_files(options.original, options.file).as_dict()
        return result
    inspected = inspect_checkpoint(options.file, recipe)
    return {"file": options.file, **inspected.as_dict()}
