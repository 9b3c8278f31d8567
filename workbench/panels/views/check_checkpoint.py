"""What the page shows of a checkpoint before compression: its tensors, in texts."""

from __future__ import annotations

from typing import Any

from workbench import formatting
from workbench.artifact.foreign_files import SHARD
from workbench.i18n import _, mark as N_, plural
from workbench.panels.uploads.choices import BITS, CheckpointChoices
from workbench.streaming.in_memory import InMemorySource
from workbench.streaming.inspect_checkpoint import CheckpointInspection
from workbench.streaming.room import largest_size
from workbench.streaming.treatment import Treatment

REASONS = {
    "quantized": N_("quantized already ({detail})"),
    "integers": N_("integers or truth values, which cannot be rounded"),
    "small floats": N_("{detail} is not rounded"),
    "one axis": N_("fewer than two axes, such as a bias or a norm"),
    "empty": N_("without values"),
    "mask": N_("an attention mask"),
    "excluded": N_("you leave it out"),
    "recipe": N_("has these bits already"),
}
"""Why a tensor stays as it is."""
BIT_LABELS = {
    16: N_("16 bits (bf16)"),
    8: N_("8 bits, one scale per channel"),
    4: N_("4 bits, one scale for each 64 weights"),
}
MAX_ROWS = 1_000
"""Tensors that are listed; the sentences cover all of them."""


def check_checkpoint(
    source: InMemorySource,
    inspection: CheckpointInspection,
    choices: CheckpointChoices,
    note: str,
    problem: str,
    command: str,
) -> dict[str, Any]:
    """Return the description of a checkpoint for the page.

    Parameters
    ----------
    source
        The file.
    inspection
        What the recipe of these `choices` does.
    note
        Why it does not match a built-in model.
    problem
        Why the file cannot be compressed here; an empty text if it can.
    command
        The same compression on the command line.
    """
    tensors = inspection.tensors
    no_accuracy = _("Without its network and data no accuracy is measured.")
    warnings = [f"{note} {no_accuracy}", *_warnings(source)]
    return {
        "file": source.files[0].name,
        "facts": _facts(inspection),
        "bits": choices.bits,
        "bits_choices": [{"value": bits, "label": _(BIT_LABELS[bits])} for bits in BITS],
        "leave_out": list(choices.leave_out),
        "warnings": [{"text": text, "leave_out": None} for text in warnings],
        "sentences": list(inspection.sentences),
        "command": command,
        "tensors": [_row(tensor) for tensor in tensors[:MAX_ROWS]],
        "more": _more(len(tensors) - MAX_ROWS),
        "counts": {
            "all": formatting.count(len(tensors)),
            "rounded": formatting.count(sum(bool(tensor.action) for tensor in tensors)),
            "kept": formatting.count(sum(not tensor.action for tensor in tensors)),
        },
        "used": _("The file will take at most {most} instead of {size}.").format(
            most=formatting.nbytes(largest_size(source, inspection.recipe)),
            size=formatting.nbytes(inspection.bytes),
        ),
        "problem": problem,
    }


def _facts(inspection: CheckpointInspection) -> list[str]:
    count = len(inspection.tensors)
    tensors = plural("{count} tensor", "{count} tensors", count)
    facts = [tensors.format(count=formatting.count(count)), formatting.size(inspection.bytes)]
    dtypes = dict.fromkeys(tensor.dtype for tensor in inspection.tensors)
    facts.append(", ".join(dtypes))
    if inspection.metadata:
        entries = plural(
            "{count} entry of metadata, kept",
            "{count} entries of metadata, kept",
            len(inspection.metadata),
        )
        facts.append(entries.format(count=formatting.count(len(inspection.metadata))))
    return facts


def _warnings(source: InMemorySource) -> list[str]:
    texts = []
    if shard := SHARD.search(source.files[0].name):
        text = _(
            "This is file {number} of {total} of one model: workbench compress FOLDER makes one "
            "file of all of them."
        )
        texts.append(text.format(number=int(shard[1]), total=int(shard[2])))
    if not source.has_values:
        texts.append(
            _(
                "Attention masks and repeated tensors are recognized by their values, which were "
                "not sent."
            )
        )
    return texts


def _row(tensor: Treatment) -> dict[str, Any]:
    reason = _(REASONS[tensor.reason]).format(detail=tensor.detail) if tensor.reason else ""
    notes = [_("stays as it is: {reason}").format(reason=reason) if reason else tensor.action]
    if tensor.fixed:
        notes.append(_("by its name, it may be a fixed transform"))
    return {
        "name": tensor.name,
        "type": f"{tensor.dtype} {' × '.join(map(str, tensor.shape))}".strip(),
        "size": formatting.size(tensor.bytes),
        "note": " · ".join(notes),
        "used": bool(tensor.action),
        "can_change": bool(tensor.action) or tensor.reason == "excluded",
    }


def _more(count: int) -> str:
    if count <= 0:
        return ""
    sentence = plural("and {count} more tensor", "and {count} more tensors", count)
    return sentence.format(count=formatting.count(count))
