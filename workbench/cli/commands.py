"""The commands: what each takes, does, and prints."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.cli import files, tables, training
from workbench.cli.progress import progress_bar
from workbench.errors import RecipeError, WorkbenchError
from workbench.recipe import Recipe
from workbench.recipe.off import BY_LAYER

Options = argparse.ArgumentParser
Result = dict[str, Any]


@dataclass(frozen=True)
class Command:
    """A verb of the console: its options, what it does, and how the result is shown."""

    name: str
    help: str
    options: Callable[[Options], None]
    run: Callable[[argparse.Namespace], Result | None]
    show: Callable[[Result], None] = lambda result: None


def _list(options: argparse.Namespace) -> Result:
    from workbench.domain import Model
    from workbench.zoo import model, models, task, tasks

    found: list[Model] = []
    for name in models():
        try:
            found.append(model(name))
        except WorkbenchError as error:  # of an installed package: the others are listed
            print(error, file=sys.stderr)
    return {
        "tasks": [{"name": name, "title": task(name).title} for name in tasks()],
        "models": [
            {
                "name": one.name,
                "title": one.title,
                "parameters": one.card["parameters"],
                "macs": one.card["macs"],
                "original_bytes": one.original_bytes,
                "metric": one.task.metric.name,
                "figures": {split: one.figure(split) for split in one.card["accuracy"]},
            }
            for one in found
        ],
    }


def _measure(options: argparse.Namespace) -> Result:
    from workbench.zoo import model

    chosen, recipe = model(options.model), _recipe(options.recipe)  # refused before torch loads
    from workbench.evaluation.measure import measure

    with progress_bar("measuring") as advance:
        report = measure(
            chosen,
            recipe,
            split=options.split,
            progress=lambda found: advance(found.examples or 0, found.total or 0),
        )
        plain = recipe.plain if recipe.train is None else recipe
        if plain == recipe:
            return report.as_dict()
        beside = measure(chosen, plain, split=options.split, timed=False)
    short = {"recipe": plain.as_dict(), "bytes": beside.bytes, "value": beside.value}
    return {**report.as_dict(), "plain": short}


def _sensitivity(options: argparse.Namespace) -> Result:
    from workbench.zoo import model

    chosen, recipe = model(options.model), _recipe(options.recipe)
    from workbench.analysis.sensitivity import sensitivity
    from workbench.recipe.off import disabled_part

    with progress_bar("trying every layer") as advance:
        found = sensitivity(
            chosen,
            getattr(recipe, options.part) or disabled_part(options.part),
            options.settings,
            progress=lambda so_far: advance(
                len(so_far.points), len(so_far.layers) * len(so_far.settings)
            ),
        )
    return {"model": chosen.name, **found.as_dict()}


def _compress(options: argparse.Namespace) -> Result:
    from workbench.zoo import model, models

    if options.model not in models() and files.is_tensor_file(options.model):
        return files.compress(options, _recipe(options.recipe))
    chosen, recipe = model(options.model), _recipe(options.recipe)
    from workbench.pipeline import compress

    artifact = compress(chosen, recipe)
    path = artifact.save(options.output)
    return {
        "file": str(path),
        "model": artifact.model,
        "recipe": artifact.recipe.as_dict(),
        "bytes": len(artifact),
        "original_bytes": chosen.original_bytes,
        "digest": artifact.digest,
        "ledger": artifact.ledger.as_dict(),
    }


def _train(options: argparse.Namespace) -> Result:
    return training.run(options, _recipe(options.recipe))


def _evaluate(options: argparse.Namespace) -> Result:
    from workbench.artifact.artifact import load
    from workbench.evaluation.measure import evaluate

    for path in options.files:
        files.check_has_model(path)
    artifacts = [load(path) for path in options.files]
    found = []
    with progress_bar("evaluating") as advance:
        for done, (path, artifact) in enumerate(zip(options.files, artifacts, strict=True)):
            advance(done, len(artifacts))
            report = evaluate(artifact, split=options.split)
            found.append({"file": path, **report.as_dict()})
        advance(len(artifacts), len(artifacts))
    return found[0] if len(found) == 1 else {"files": found}


def _inspect(options: argparse.Namespace) -> Result:
    from workbench.artifact.on_disk import OnDiskArtifact

    sealed = OnDiskArtifact.open(options.file)
    return {"file": options.file, **files.summary(sealed)}


def _dashboard(options: argparse.Namespace) -> None:
    from workbench.server.serve import serve

    serve(
        options.port,
        open_browser=not options.no_browser,
        token=options.token,
        base_url=options.base_url,
        host=options.host,
        uploads=options.uploads,
    )


def _lab(options: argparse.Namespace) -> None:
    from workbench.server.serve import lab

    lab(options.port, open_browser=not options.no_browser)


def _recipe(text: str | None) -> Recipe:
    """Read a recipe from JSON text, or from the file of that name."""
    if text is None:
        return Recipe()
    if text.lstrip().startswith(("{", "[")) or not text.strip():
        return Recipe.from_json(text)
    try:
        return Recipe.from_json(Path(text).read_bytes())
    except OSError as error:
        raise RecipeError(
            f"{text!r} is neither a recipe in JSON nor a file that can be read: {error.strerror}."
        ) from None


def _takes_nothing(parser: Options) -> None:
    pass


def _takes_model(parser: Options) -> None:
    parser.add_argument("model", help="a model from `workbench list`, such as fashion/lenet5")
    parser.add_argument("--recipe", metavar="FILE-or-JSON", help="what to do; absent: nothing")


def _takes_split(parser: Options) -> None:
    parser.add_argument("--split", choices=("validation", "test"), default="validation")


def _takes_measure(parser: Options) -> None:
    _takes_model(parser)
    _takes_split(parser)


def _takes_sensitivity(parser: Options) -> None:
    _takes_model(parser)
    parser.add_argument(
        "--part",
        choices=BY_LAYER,
        default="prune",
        help="what to do to each layer, as the recipe says where it has that part",
    )
    parser.add_argument(
        "--settings", nargs="+", type=float, metavar="N", help="what to try, from mild to harsh"
    )


def _takes_compress(parser: Options) -> None:
    parser.add_argument(
        "model",
        help="a model from `workbench list`, such as fashion/lenet5; or a file of tensors: "
        ".safetensors, the .index.json of its shards, or their folder",
    )
    parser.add_argument("--recipe", metavar="FILE-or-JSON", help="what to do; absent: nothing")
    parser.add_argument("--output", required=True, metavar="FILE", help="the file to write")


def _takes_expand(parser: Options) -> None:
    _takes_file(parser)
    parser.add_argument("--output", required=True, metavar="FILE", help="the file to write")


def _takes_rebuild(parser: Options) -> None:
    _takes_file(parser)
    parser.add_argument(
        "--module",
        metavar="PACKAGE.MODULE:CALLABLE",
        help="what returns the network that was compressed, with any weights; absent: the built-in "
        "model that the file names",
    )
    parser.add_argument("--output", required=True, metavar="FILE", help="the file to write")


def _takes_training(parser: Options) -> None:
    parser.add_argument("model", help="a model from `workbench list`, such as fashion/lenet5")
    training.add_options(parser, distilling=False)


def _takes_distillation(parser: Options) -> None:
    parser.add_argument("model", help="the student: a model from `workbench list`")
    training.add_options(parser, distilling=True)


def _takes_files(parser: Options) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="files made by compress")
    _takes_split(parser)


def _takes_file(parser: Options) -> None:
    parser.add_argument("file", metavar="FILE", help="a file made by compress")


def _takes_port(parser: Options) -> None:
    parser.add_argument("--port", type=_port, default=8866, help="0 takes any free one")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")


def _takes_server(parser: Options) -> None:
    _takes_port(parser)
    parser.add_argument("--host", default="localhost", help="the address to listen on")
    parser.add_argument("--token", help="a password that visitors must give")
    parser.add_argument("--base-url", default="/", help="the path behind a proxy, such as /bench/")
    parser.add_argument(
        "--uploads",
        action=argparse.BooleanOptionalAction,
        help="whether visitors may upload data; unless said, where only this machine can visit",
    )


def _port(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


COMMANDS = (
    Command(
        "list",
        "Show the tasks and models that come with Workbench.",
        _takes_nothing,
        _list,
        tables.listing,
    ),
    Command("measure", "Measure a model under a recipe.", _takes_measure, _measure, tables.report),
    Command(
        "sensitivity",
        "Try every layer by itself: what each bears.",
        _takes_sensitivity,
        _sensitivity,
        tables.sensitivity,
    ),
    Command(
        "compress",
        "Write the compressed file of a model, or of a file of tensors.",
        _takes_compress,
        _compress,
        tables.saved,
    ),
    Command(
        "expand",
        "Write the tensors of a compressed file as plain safetensors.",
        _takes_expand,
        files.decompress,
        tables.written,
    ),
    Command(
        "rebuild",
        "Write the weights of a compressed file for PyTorch, as its module holds them.",
        _takes_rebuild,
        files.to_module,
        tables.written,
    ),
    Command(
        "train",
        "Train a model under a recipe and write its file.",
        _takes_training,
        _train,
        tables.trained,
    ),
    Command(
        "distill",
        "Train a student on what a teacher says and write its file.",
        _takes_distillation,
        _train,
        tables.trained,
    ),
    Command(
        "evaluate", "Measure files anew, from their bytes.", _takes_files, _evaluate, tables.reports
    ),
    Command(
        "inspect", "Show where the bytes of a file are.", _takes_file, _inspect, tables.inspection
    ),
    Command("dashboard", "Open the page in a browser.", _takes_server, _dashboard),
    Command("lab", "Open the notebooks in JupyterLab.", _takes_port, _lab),
)
