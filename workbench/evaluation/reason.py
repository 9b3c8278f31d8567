"""A reason why a choice did not pay off: a sentence with numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench import formatting
from workbench.i18n import _, mark as N_

Number = int | float

SENTENCES = {
    "emptied": N_(
        "All weights of {layer} are pruned. Reduce the sparsity, or choose the adaptive scope, "
        "which empties layers last."
    ),
    "all_zero": N_(
        "All weights of {layer} are zero. Reduce the sparsity of this layer, or use more bits."
    ),
    "nothing": N_(
        "This model has no floating-point weights with two or more axes, so nothing can be pruned, "
        "factorized, shared or quantized: its values stay unchanged."
    ),
    "not_finite": N_(
        "The outputs for {without} of {examples} {layer} examples are NaN or infinite: such "
        "examples have no prediction and count as wrong."
    ),
    "no_figure": N_(
        "The outputs for {without} of {examples} {layer} examples are NaN or infinite, and so is "
        "the metric."
    ),
    "zero_norm": N_(
        "The module divides each row of {layer} by its norm, and the norm of an all-zero row is 0, "
        "so the weight is NaN: prune {layer} less, or exclude it."
    ),
    "not_a_number": N_("{layer} holds NaN or infinity in this file, but not in {original}."),
    "dense_kept": N_(
        "At {zeros} zeros, storing the positions of the nonzero weights costs more than omitting "
        "the zeros saves: {layer} stays dense, {dense} instead of {sparse}."
    ),
    "index_heavy": N_(
        "In {layer} the positions of the weights take {indices} and their values {values}: fewer "
        "bits would reduce only the smaller part."
    ),
    "scales_heavy": N_(
        "{layer} spends {scales} of its {bytes} on scales: let more weights share one scale."
    ),
    "codebook_heavy": N_(
        "{layer} spends {scales} of its {bytes} on codebooks: one codebook per layer would "
        "take less."
    ),
    "codebook_long": N_(
        "{layer} spends {scales} of its {bytes} on its codebook: fewer shared values would take "
        "less."
    ),
    "not_factored": N_(
        "{layer} stays one matrix of {bytes}: at the requested rank, two factors would not be "
        "smaller. They have fewer values below rank {rank}."
    ),
    "all_shared": N_(
        "Every layer that could be quantized uses weight sharing, so the bit width has no effect."
    ),
    "short_groups": N_(
        "Groups of {requested} exceed the {length} weights of a channel of {layer}: each channel "
        "is a group."
    ),
    "one_stays": N_(
        "Requested {requested_share} zeros, but this pattern gives {made_share}: of every {width} "
        "consecutive weights a whole number remains, at least one."
    ),
    "whole_blocks": N_(
        "Requested {requested_share} zeros, but this pattern gives {made_share}: only complete "
        "blocks are removed, and blocks at the edges are smaller."
    ),
    "whole_weights": N_(
        "Requested {requested_share} zeros; the nearest possible is {made_share}: each layer loses "
        "a whole number of its few weights."
    ),
    "short_runs": N_(
        "Runs of {width} exceed the {length} weights per output of {layer}: each output is one run."
    ),
    "wide_blocks": N_(
        "Blocks of {width} by {width} do not fit {layer}, {rows} by {length}: it is divided into "
        "{blocks} smaller ones."
    ),
    "left_alone": N_("{layer} is not compressed and takes {bytes} of the file's {file}."),
    "container": N_("Names, shapes, recipe and checksum take {bytes} of the file's {file}."),
    "preprocessing": N_(
        "What the file needs to read new data (names of columns, categories, scales) takes {bytes} "
        "of the file's {file}."
    ),
    "one_dimensional": N_(
        "Biases and other values with fewer than two axes are not compressed and take {bytes} of "
        "the file's {file}."
    ),
    "other_tensors": N_(
        "Tables, masks and other tensors that are not compressed take {bytes} of the file's {file}."
    ),
    "less_sparse": N_(
        "{set_share} zeros are requested for layers without their own setting, which is "
        "{requested_share} of all weights: {left_share} of the weights are in layers that are "
        "excluded or set lower."
    ),
    "already_zero": N_(
        "Requested {requested_share} zeros, got {got_share}: {before_share} of the weights were "
        "zero in {original}."
    ),
    "rounded_to_zero": N_(
        "Requested {requested_share} zeros, got {got_share}: rounding sets another {rounded_share} "
        "of the weights to zero."
    ),
    "set_higher": N_(
        "{set_share} zeros are requested for layers without their own setting, which is "
        "{requested_share} of all weights: {left_share} of the weights are in layers that are set "
        "higher."
    ),
    "channels": N_(
        "Requested to remove {requested_share} of the channels: {got_share} are removed, and with "
        "them {weights_share} of the weights and {macs_share} of the multiply-accumulates."
    ),
    "few_channels": N_(
        "Requested to remove {requested_share} of the channels, but none are removed: this is less "
        "than half a channel in every layer."
    ),
    "few_multiples": N_(
        "Requested to remove {requested_share} of the channels, but none are removed: in every "
        "layer, the nearest multiple of {width} is not below the present number of channels."
    ),
    "no_layers": N_(
        "No channels are removed: the scope includes only layers with their own setting, and there "
        "are none."
    ),
    "all_excluded": N_("Every layer is excluded from {layer}, so this setting has no effect."),
    "factored": N_(
        "Two factors have fewer values below the break-even rank. Rank and break-even rank here: "
        "{layer}."
    ),
    "no_channels": N_("{layer} keeps all channels: they are the outputs of the network."),
    "kind_whole": N_("{layer} keeps all channels: channels of {obstacle} cannot be removed."),
    "mixed_whole": N_(
        "{layer} keeps all channels: they cannot be traced to the next layers ({obstacle})."
    ),
    "fails_whole": N_(
        "{layer} keeps all channels: with fewer channels the module fails ({obstacle})."
    ),
    "unseen_whole": N_(
        "{layer} keeps all channels: the module does not call this layer, or the dependence of its "
        "outputs on it cannot be traced."
    ),
    "not_followed": N_(
        "{layer} keeps all channels: torch-pruning cannot trace them through the module "
        "({obstacle})."
    ),
    "norms_between": N_(
        "Layers separated by batch norm are not equalized: fold batch norm to equalize them."
    ),
    "norms_stay": N_(
        "Batch norm that is not folded, because no layer directly precedes it or the outputs would "
        "change: {layer}."
    ),
    "uneven": N_(
        "Layers that are not equalized with the next one, because the outputs would change: "
        "{layer}."
    ),
    "none_even": N_(
        "No layers are equalized: no layer passes its channels to exactly one other layer."
    ),
    "norms_as_they_were": N_(
        "Batch norm that is not recalibrated, because it does not run, gets one value per channel, "
        "or would not be finite: {layer}."
    ),
    "biases_as_they_were": N_(
        "Biases that are not corrected, because their layers do not run exactly once, are not run "
        "as layers, or would not be finite: {layer}."
    ),
    "no_norms": N_("This network has no batch norm, so this setting has no effect."),
    "no_inputs": N_(
        "No activations are quantized: the network contains no linear layer or convolution with a "
        "weight of its own."
    ),
    "inputs_excluded": N_(
        "No activations are quantized: every layer whose inputs could be quantized is excluded."
    ),
    "simulated": N_(
        "Activations are quantized and summed exactly as integers, but not faster here: that needs "
        "a runtime with integer kernels."
    ),
    "inputs_bypassed": N_(
        "The inputs of {layer} are not quantized: this is supported for PyTorch's linear layers "
        "and 1-D and 2-D convolutions with a single weight parameter, if the network calls them "
        "on the calibration examples and does not differentiate through them."
    ),
    "masks_folded": N_(
        "The masks of torch.nn.utils.prune on {layer} are multiplied into the weights."
    ),
    "float32_only": N_(
        "This module does not run in float64, because it creates float32 tensors itself, so "
        "borderline predictions are decided in float32."
    ),
    "no_integers": N_(
        "The inputs of {layer} are quantized, but its weights are not integers with one scale per "
        "output: quantize it per tensor or per channel, with at most 8 bits."
    ),
    "grew": N_(
        "The file is {more} longer than {original}: its tensors take {now} instead of {before}, "
        "but its header takes {header}."
    ),
    "not_smaller": N_(
        "The file is {more} longer than {original}: its tensors take {now}, as before, and its "
        "header takes {header}."
    ),
    "longer_tensors": N_(
        "The file is {more} longer than {original}: its tensors take {now} instead of {before}."
    ),
    "wider": N_(
        "The file is {more} longer than {original}: its tensors take {now}, and {original} "
        "takes {before} in total, because its values are narrower than float32."
    ),
    "no_faster": N_(
        "Smaller, but not faster here: zeros are still multiplied ({macs} multiply-accumulates per "
        "example, as before)."
    ),
    "decoded_first": N_(
        "Smaller, but not faster here: the weights are decoded to float32 before the model runs "
        "({macs} multiply-accumulates per example, as before)."
    ),
}
"""The sentence of each kind of reason, with placeholders for its numbers."""

_COUNTS = frozenset(
    ("without", "examples", "requested", "length", "rank", "width", "rows", "blocks", "macs")
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

    def __repr__(self) -> str:
        return f"<Reason: {self.text}>"

    @property
    def text(self) -> str:
        """The translated sentence about a file of an original model."""
        return self.about(_("the original"))

    def about(self, original: str) -> str:
        """Return the translated sentence; `original` is what it calls the uncompressed model."""
        words = {key: _format(key, number) for key, number in self.numbers.items()}
        words |= {"layer": self.layer, "obstacle": self.obstacle, "original": original}
        return _(SENTENCES[self.kind]).format(**words)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        numbers = dict(self.numbers)
        data = {"kind": self.kind, "layer": self.layer, "numbers": numbers, "weight": self.weight}
        return {**data, "obstacle": self.obstacle} if self.obstacle else data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reason:
        """Inverse of `as_dict`."""
        return cls(**data)
