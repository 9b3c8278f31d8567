"""A reason why a choice did not pay off: a sentence with numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench import formatting
from workbench.i18n import _
from workbench.i18n import mark as N_

Number = int | float

SENTENCES = {
    "emptied": N_(
        "All weights of {layer} are pruned. Reduce the sparsity, or choose the adaptive scope, "
        "which empties layers last."
    ),
    "all-zero": N_(
        "All weights of {layer} are zero. Reduce the sparsity of this layer, or use more bits."
    ),
    "nothing": N_(
        "This model has no floating-point weights with two or more axes, so nothing can be pruned, "
        "factorized, shared or quantized: its values stay unchanged."
    ),
    "not-finite": N_(
        "The outputs for {without} of {examples} {layer} examples are NaN or infinite: such "
        "examples have no prediction and count as wrong."
    ),
    "no-figure": N_(
        "The outputs for {without} of {examples} {layer} examples are NaN or infinite, and so is "
        "the metric."
    ),
    "zero-norm": N_(
        "The module divides each row of {layer} by its norm, and the norm of an all-zero row is 0, "
        "so the weight is NaN: prune {layer} less, or exclude it."
    ),
    "not-a-number": N_("{layer} holds NaN or infinity in this file, but not in the original."),
    "dense-kept": N_(
        "At {zeros} zeros, storing the positions of the nonzero weights costs more than omitting "
        "the zeros saves: {layer} stays dense, {dense} instead of {sparse}."
    ),
    "index-heavy": N_(
        "In {layer} the positions of the weights take {indices} and their values {values}: fewer "
        "bits would reduce only the smaller part."
    ),
    "scales-heavy": N_(
        "{layer} spends {scales} of its {bytes} on scales: let more weights share one scale."
    ),
    "codebook-heavy": N_(
        "{layer} spends {scales} of its {bytes} on codebooks: one codebook per layer would "
        "take less."
    ),
    "codebook-long": N_(
        "{layer} spends {scales} of its {bytes} on its codebook: fewer shared values would take "
        "less."
    ),
    "not-factored": N_(
        "{layer} stays one matrix of {bytes}: at the requested rank, two factors would not be "
        "smaller. They have fewer values below rank {rank}."
    ),
    "all-shared": N_(
        "Every layer that could be quantized uses weight sharing, so the bit width has no effect."
    ),
    "short-groups": N_(
        "Groups of {asked} exceed the {length} weights of a channel of {layer}: each channel is a "
        "group."
    ),
    "one-stays": N_(
        "Requested {asked_share} zeros, but this pattern gives {made_share}: of every {width} "
        "consecutive weights a whole number remains, at least one."
    ),
    "whole-blocks": N_(
        "Requested {asked_share} zeros, but this pattern gives {made_share}: only complete blocks "
        "are removed, and blocks at the edges are smaller."
    ),
    "whole-weights": N_(
        "Requested {asked_share} zeros; the nearest possible is {made_share}: each layer loses a "
        "whole number of its few weights."
    ),
    "short-runs": N_(
        "Runs of {width} exceed the {length} weights per output of {layer}: each output is one run."
    ),
    "wide-blocks": N_(
        "Blocks of {width} by {width} do not fit {layer}, {rows} by {length}: it is divided into "
        "{blocks} smaller ones."
    ),
    "left-alone": N_("{layer} is not compressed and takes {bytes} of the file's {file}."),
    "container": N_("Names, shapes, recipe and checksum take {bytes} of the file's {file}."),
    "one-dimensional": N_(
        "Biases and other values with fewer than two axes are not compressed and take {bytes} of "
        "the file's {file}."
    ),
    "other-tensors": N_(
        "Tables, masks and other tensors that are not compressed take {bytes} of the file's {file}."
    ),
    "less-sparse": N_(
        "{set_share} zeros are requested for layers without their own setting, which is "
        "{asked_share} of all weights: {left_share} of the weights are in layers that are excluded "
        "or set lower."
    ),
    "already-zero": N_(
        "Requested {asked_share} zeros, got {got_share}: {before_share} of the weights were zero "
        "in the original."
    ),
    "rounded-to-zero": N_(
        "Requested {asked_share} zeros, got {got_share}: rounding sets another {rounded_share} of "
        "the weights to zero."
    ),
    "set-higher": N_(
        "{set_share} zeros are requested for layers without their own setting, which is "
        "{asked_share} of all weights: {left_share} of the weights are in layers that are set "
        "higher."
    ),
    "channels": N_(
        "Requested to remove {asked_share} of the channels: {got_share} are removed, and with them "
        "{weights_share} of the weights and {macs_share} of the multiply-adds."
    ),
    "few-channels": N_(
        "Requested to remove {asked_share} of the channels, but none are removed: this is less "
        "than half a channel in every layer."
    ),
    "few-multiples": N_(
        "Requested to remove {asked_share} of the channels, but none are removed: in every layer, "
        "the nearest multiple of {width} is not below the present number of channels."
    ),
    "no-layers": N_(
        "No channels are removed: the scope includes only layers with their own setting, and there "
        "are none."
    ),
    "all-excluded": N_("Every layer is excluded from {layer}, so this setting has no effect."),
    "factored": N_(
        "Two factors have fewer values below the break-even rank. Rank and break-even rank here: "
        "{layer}."
    ),
    "no-channels": N_("{layer} keeps all channels: they are the outputs of the network."),
    "kind-whole": N_("{layer} keeps all channels: channels of {what} cannot be removed."),
    "mixed-whole": N_(
        "{layer} keeps all channels: they cannot be traced to the next layers ({what})."
    ),
    "fails-whole": N_("{layer} keeps all channels: with fewer channels the module fails ({what})."),
    "unseen-whole": N_(
        "{layer} keeps all channels: the module does not call this layer, or the dependence of its "
        "outputs on it cannot be traced."
    ),
    "not-followed": N_(
        "{layer} keeps all channels: torch-pruning cannot trace them through the module ({what})."
    ),
    "norms-between": N_(
        "Layers separated by batch norm are not equalized: fold batch norm to equalize them."
    ),
    "norms-stay": N_(
        "Batch norm that is not folded, because no layer directly precedes it or the outputs would "
        "change: {layer}."
    ),
    "uneven": N_(
        "Layers that are not equalized with the next one, because the outputs would change: "
        "{layer}."
    ),
    "none-even": N_(
        "No layers are equalized: no layer passes its channels to exactly one other layer."
    ),
    "norms-as-they-were": N_(
        "Batch norm that is not recalibrated, because it does not run, gets one value per channel, "
        "or would not be finite: {layer}."
    ),
    "biases-as-they-were": N_(
        "Biases that are not corrected, because their layers do not run exactly once, are not run "
        "as layers, or would not be finite: {layer}."
    ),
    "no-norms": N_("This network has no batch norm, so this setting has no effect."),
    "no-inputs": N_(
        "No activations are quantized: the network contains no linear layer or convolution with a "
        "weight of its own."
    ),
    "inputs-excluded": N_(
        "No activations are quantized: every layer whose inputs could be quantized is excluded."
    ),
    "simulated": N_(
        "Activations are quantized and summed exactly as integers, but not faster here: that takes "
        "a runtime with integer kernels."
    ),
    "inputs-bypassed": N_(
        "The inputs of {layer} are not quantized: this is supported for PyTorch's linear layers "
        "and 1-D and 2-D convolutions with a single weight parameter, if the network calls them "
        "on the calibration examples and does not differentiate through them."
    ),
    "masks-folded": N_(
        "The masks of torch.nn.utils.prune on {layer} are multiplied into the weights."
    ),
    "float32-only": N_(
        "This module does not run in float64, because it creates float32 tensors itself, so "
        "borderline predictions are decided in float32."
    ),
    "no-integers": N_(
        "The inputs of {layer} are quantized, but its weights are not integers with one scale per "
        "output: quantize it per tensor or per channel, with at most 8 bits."
    ),
    "grew": N_(
        "The file is {more} longer than the original: its tensors take {now} instead of {before}, "
        "but its header takes {header}."
    ),
    "not-smaller": N_(
        "The file is {more} longer than the original: its tensors take {now}, as before, and its "
        "header takes {header}."
    ),
    "longer-tensors": N_(
        "The file is {more} longer than the original: its tensors take {now} instead of {before}."
    ),
    "wider": N_(
        "The file is {more} longer than the original: its tensors take {now}, and the original "
        "takes {before} in total, because its values are narrower than float32."
    ),
    "no-faster": N_(
        "Smaller, but not faster: zeros are multiplied, too, so an example still takes {macs} "
        "multiply-adds."
    ),
    "decoded-first": N_(
        "Smaller, but not faster: the file is decoded to dense float32 matrices before it runs, so "
        "an example still takes {macs} multiply-adds."
    ),
}
"""The sentence of each kind of reason, with placeholders for its numbers."""

_COUNTS = frozenset(
    ("without", "examples", "asked", "length", "rank", "width", "rows", "blocks", "macs")
)


def _format(key: str, number: Any) -> str:
    """Format a fraction, a count, or else a length in bytes."""
    if key == "zeros":
        return formatting.percent(number, 0)
    if key.endswith("_share"):
        return formatting.percent(number)
    return formatting.count(number) if key in _COUNTS else formatting.nbytes(number)


@dataclass(frozen=True)
class Reason:
    """Why a choice did not pay off.

    Attributes
    ----------
    kind : str
        A key of `SENTENCES`.
    layer : str
        The name of a tensor, or of several, or empty.
    numbers : mapping
        The numbers in the sentence: lengths in bytes and fractions from 0 to 1.
    weight : int
        The number of bytes concerned; reasons are sorted by it.
    obstacle : str
        What prevents it, such as the class of a layer, or empty.
    """

    kind: str
    layer: str = ""
    numbers: Mapping[str, Number] = field(default_factory=dict)
    weight: int = 0
    obstacle: str = ""

    @property
    def text(self) -> str:
        """The translated sentence."""
        words = {key: _format(key, number) for key, number in self.numbers.items()}
        return _(SENTENCES[self.kind]).format(layer=self.layer, what=self.obstacle, **words)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        numbers = dict(self.numbers)
        data = {"kind": self.kind, "layer": self.layer, "numbers": numbers, "weight": self.weight}
        return {**data, "what": self.obstacle} if self.obstacle else data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reason:
        """Inverse of `as_dict`."""
        return cls(**{"obstacle" if key == "what" else key: data[key] for key in data})
