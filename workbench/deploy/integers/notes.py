"""Why a package is larger than its file, or does not compute a layer with integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.artifact.artifact import Artifact
from workbench.compression.coded import Codes, Factors, Shared
from workbench.deploy.target import ROUNDED_INPUTS, Target
from workbench.i18n import _, plural

if TYPE_CHECKING:  # loads onnx
    from workbench.deploy.integers.rewrite import Written

NIBBLE, BYTE = 4, 8


def storage_notes(
    artifact: Artifact, target: Target | None = None, written: Written | None = None
) -> tuple[str, ...]:
    """Return sentences about what a package stores otherwise than the file does.

    `target` and `written` are those of an ONNX graph that holds codes.
    """
    notes, tensors = [], artifact.tensors
    if artifact.recipe.prune is not None:
        notes.append(_("Zeros are stored like any other number: runtimes multiply them too."))
    if any(isinstance(coded, Shared) for coded in tensors.values()):
        notes.append(_("Shared values are written out: no runtime here looks them up."))
    if any(isinstance(coded, Factors) for coded in tensors.values()):
        notes.append(_("The two factors of a layer are stored as their product."))
    codes = {name: coded.bits for name, coded in tensors.items() if isinstance(coded, Codes)}
    if codes and written is None:
        notes.append(_("Rounded weights are stored as 32-bit numbers of the same values."))
    if codes and written is not None and target is not None:
        notes += _code_notes(codes, artifact, target, written)
    return tuple(notes)


def _code_notes(
    codes: dict[str, int], artifact: Artifact, target: Target, written: Written
) -> list[str]:
    notes = []
    unused = {path for path, _qparams in artifact.spec.inputs} - written.layers.used
    codes = {name: b for name, b in codes.items() if name.removesuffix(".weight") not in unused}
    if any(bits not in (NIBBLE, BYTE) for bits in codes.values()):
        notes.append(
            _("Codes of 2 or 3 bits are stored in 4 bits, and those of 5 to 7 bits in 8 bits.")
        )
    small = {name.removesuffix(".weight") for name in written.small}
    large = [name for name in codes if name.removesuffix(".weight") not in small]
    if large:
        sentence = plural(
            "The rounded weights {names} are stored as 32-bit numbers of the same values.",
            "The rounded weights {names} are stored as 32-bit numbers of the same values.",
            len(large),
        )
        notes.append(sentence.format(names=", ".join(large)))
    if written.layers.decoded:
        sentence = (
            _(
                "OpenVINO multiplies the weights of {names} in integers where it has a kernel for "
                "them, and decoded numbers elsewhere: symmetric quantization by row always has one."
            )
            if target.runtime == "openvino"
            else _(
                "No integer kernel takes the weights of {names}, so that these layers multiply "
                "decoded numbers: symmetric quantization by row has one."
            )
        )
        notes.append(sentence.format(names=", ".join(written.layers.decoded)))
    constant = [path for path in written.layers.constant if path not in written.layers.integers]
    if constant:
        notes.append(
            _(
                "The products of {names} do not depend on the inputs: runtimes compute them once, "
                "when they load the network."
            ).format(names=", ".join(constant))
        )
    if target.rounds_biases and written.layers.with_float_biases(artifact.spec.biases):
        notes.append(
            _(
                "ONNX Runtime rounds biases to 32-bit integers, which this file does not: choose "
                "int32 biases in the recipe for equal outputs."
            )
        )
    if target.precision == ROUNDED_INPUTS:
        notes.append(
            _("The runtime rounds the inputs of compressed layers to 8 bits, call by call.")
        )
    return notes
