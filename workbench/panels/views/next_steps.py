"""What to do with a downloaded file: Python lines that load it and predict."""

from __future__ import annotations

from workbench.domain import Model
from workbench.i18n import _
from workbench.zoo.tables import CUSTOM_PREFIX


def code(model: Model, file: str) -> str:
    """Return Python lines that run the file `file` of `model` in its folder."""
    if model.preprocessing is not None:
        rows = "new_rows.csv" if model.preprocessing["kind"] == "table" else "new_pictures"
        return f'import workbench as wb\n\nwb.predict("{file}", "{rows}").to_frame()'
    load = f'import workbench as wb\n\nnetwork = wb.to_module("{file}")\n'
    if model.name.startswith(CUSTOM_PREFIX):
        return (
            f'import workbench as wb\n\nweights = wb.load("{file}").weights()\n'
            "print({name: tuple(weight.shape) for name, weight in weights.items()})"
        )
    task = model.task
    inputs = (
        f'task = wb.task("{task.name}")\ninputs = task.inputs(task.split("test").examples[:5])\n'
    )
    if task.metric.counts == "classes":
        predict = "print([task.classes[k] for k in network(inputs).argmax(1)])"
    else:
        predict = "print(network(inputs).argmax(-1))"
    return f"{load}{inputs}{predict}"


def note(model: Model) -> str | None:
    """Return what the lines of `code` cannot do, or None."""
    if not model.name.startswith(CUSTOM_PREFIX):
        return None
    from workbench.custom.prediction.contents import contents_of  # loads torch

    contents = contents_of(model.preprocessing)
    if contents is not None:
        return contents.text
    return _(
        "The file has the weights, but not the code of the network. With the network as a PyTorch "
        "module, wb.to_module(file, module) returns a copy with these weights."
    )
