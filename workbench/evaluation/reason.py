"""A reason: why a choice did not pay, as numbers with a sentence around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench import formatting
from workbench.i18n import _
from workbench.i18n import mark as N_

Number = int | float

SENTENCES = {
    "emptied": N_(
        "Nothing is left of {layer}: all its weights are pruned. Ask for fewer zeros, or choose "
        "the adaptive scope, which empties a layer last."
    ),
    "all-zero": N_(
        "Nothing is left of {layer}: all its weights are zero. Ask for fewer zeros there, or for "
        "more bits."
    ),
    "nothing": N_(
        "This model has no floating-point weights of two or more axes, so there is nothing to "
        "prune, factor, share or quantise: its values stay as they are."
    ),
    "not-finite": N_(
        "The outputs for {without} of {judged} {layer} examples are NaN or infinite: such examples "
        "have no prediction and count as wrong."
    ),
    "no-figure": N_(
        "The outputs for {without} of {judged} {layer} examples are NaN or infinite, and so is "
        "what is measured on them."
    ),
    "zero-norm": N_(
        "The module divides each row of {layer} by its norm, and a row with nothing but zeros has "
        "the norm 0, so that the weight is NaN: prune {layer} less, or leave it whole."
    ),
    "not-a-number": N_(
        "{layer} holds NaN or infinity in this file, and in the original it does not."
    ),
    "dense-kept": N_(
        "At {zeros} zeros, writing the places of the other weights costs more than leaving the "
        "zeros out saves: {layer} keeps the dense form, {dense} instead of {sparse}."
    ),
    "index-heavy": N_(
        "In {layer} the places of the weights take {indices} and the weights themselves {values}: "
        "fewer bits would make only the smaller part smaller."
    ),
    "scales-heavy": N_(
        "{layer} spends {scales} of its {bytes} on scales: let more weights share one."
    ),
    "codebook-heavy": N_(
        "{layer} spends {scales} of its {bytes} on its codebooks: one codebook for the whole layer "
        "would take less."
    ),
    "codebook-long": N_(
        "{layer} spends {scales} of its {bytes} on its codebook: fewer shared values would take "
        "less."
    ),
    "not-factored": N_(
        "{layer} stays one matrix of {bytes}: at the rank asked two factors would take no less. "
        "They are fewer numbers below rank {rank}."
    ),
    "all-shared": N_(
        "Every layer that could be quantised shares values, so the choice of bits changes nothing."
    ),
    "short-groups": N_(
        "Groups of {asked} do not fit the {length} weights of a channel of {layer}: "
        "each channel is one group."
    ),
    "one-stays": N_(
        "Asked for {asked_share} zeros, and this pattern makes {made_share}: of every {width} "
        "weights in a row a whole number stays, and at least one."
    ),
    "whole-blocks": N_(
        "Asked for {asked_share} zeros, and this pattern makes {made_share}: blocks are kept or "
        "removed whole, and those at the edges are smaller."
    ),
    "whole-weights": N_(
        "Asked for {asked_share} zeros, and {made_share} is the nearest that can be: each layer "
        "loses a whole number of its few weights."
    ),
    "short-runs": N_(
        "Runs of {width} do not fit the {length} weights that an output of {layer} has: each "
        "output is one run."
    ),
    "wide-blocks": N_(
        "Blocks of {width} by {width} do not fit {layer}, {rows} by {length}: it is cut into "
        "{blocks} smaller ones."
    ),
    "left-alone": N_("{layer} was left alone and takes {bytes} of the file's {file}."),
    "container": N_("Names, shapes, recipe and checksum take {bytes} of the file's {file}."),
    "one-dimensional": N_(
        "Biases and other values with fewer than two axes stay as they are and take {bytes} of the "
        "file's {file}."
    ),
    "other-tensors": N_(
        "Tables, masks and other tensors that are not compressed take {bytes} of the file's {file}."
    ),
    "less-sparse": N_(
        "{set_share} zeros are asked of the layers that are not set by hand, {asked_share} of all "
        "weights: {left_share} of them are in layers left whole or set lower."
    ),
    "already-zero": N_(
        "Asked for {asked_share} zeros, got {got_share}: {before_share} of the weights were zero "
        "in the original already."
    ),
    "rounded-to-zero": N_(
        "Asked for {asked_share} zeros, got {got_share}: rounding makes {rounded_share} of the "
        "weights zero beside those that are pruned."
    ),
    "set-higher": N_(
        "{set_share} zeros are asked of the layers that are not set by hand, {asked_share} of all "
        "weights: {left_share} of them are in layers set higher."
    ),
    "channels": N_(
        "Asked for {asked_share} of the channels, {got_share} are gone, and with them "
        "{weights_share} of the weights and {macs_share} of the multiply-adds."
    ),
    "few-channels": N_(
        "Asked for {asked_share} of the channels, none are gone: layers have so few that the share "
        "is less than half a channel of each."
    ),
    "few-multiples": N_(
        "Asked for {asked_share} of the channels, none are gone: in each layer, the multiple of "
        "{width} that is nearest to what would be left is no fewer than all."
    ),
    "no-layers": N_(
        "No channels are gone: only layers that are named lose channels, and none is named."
    ),
    "all-excluded": N_("Every layer is left out of {layer}, so that choice changes nothing."),
    "factored": N_(
        "Two factors are fewer numbers below the break-even rank. Rank and break-even here: "
        "{layer}."
    ),
    "no-channels": N_("All channels of {layer} stay: they are the network's own outputs."),
    "kind-whole": N_("All channels of {layer} stay: none are removed from {what}."),
    "mixed-whole": N_(
        "All channels of {layer} stay: they cannot be followed on the way to the next layers "
        "({what})."
    ),
    "fails-whole": N_(
        "All channels of {layer} stay: with fewer of them the module fails ({what})."
    ),
    "unseen-whole": N_(
        "All channels of {layer} stay: the module does not call this layer, or its outputs depend "
        "on it in no way that can be followed."
    ),
    "not-followed": N_(
        "All channels of {layer} stay: torch-pruning cannot follow them through the module "
        "({what})."
    ),
    "norms-between": N_(
        "Layers with batch norm between them were not evened out: fold it, and they are."
    ),
    "norms-stay": N_(
        "Batch norm that was not folded, because no layer comes right before it or the outputs "
        "would change: {layer}."
    ),
    "uneven": N_(
        "Layers that were not evened out with the next one, because the outputs would change: "
        "{layer}."
    ),
    "none-even": N_("No layers were evened out: no channels go from one layer to just one other."),
    "norms-as-they-were": N_(
        "Batch norm that was not measured again, because it does not run, gets one value in each "
        "channel, or would not be finite: {layer}."
    ),
    "biases-as-they-were": N_(
        "Biases that were not corrected, because their layers do not run exactly once, are not "
        "run as layers, or would not be finite: {layer}."
    ),
    "no-norms": N_("This network has no batch norm, so that choice changes nothing."),
    "no-inputs": N_(
        "No inputs were rounded: inside this network is no linear layer or convolution with a "
        "weight of its own."
    ),
    "inputs-excluded": N_(
        "No inputs were rounded: every layer whose inputs could be rounded is left out."
    ),
    "simulated": N_(
        "Inputs are rounded and summed exactly as integers are, but not faster here: that takes a "
        "runtime with integer kernels."
    ),
    "inputs-bypassed": N_(
        "The inputs of {layer} are not rounded: that is done in PyTorch's own linear layers and "
        "1-D and 2-D convolutions with a plain weight, where the network calls them and does not "
        "differentiate through them."
    ),
    "masks-folded": N_(
        "The masks that torch.nn.utils.prune left on {layer} are multiplied into the weights."
    ),
    "float32-only": N_(
        "This module does not run in float64, as it makes float32 tensors itself, so borderline "
        "predictions are decided in float32."
    ),
    "no-integers": N_(
        "The inputs of {layer} are rounded but its weights are no integers with one scale an "
        "output: quantise it by tensor or by channel, in 8 bits or fewer."
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
        "takes {before} in all, because its numbers are narrower than float32."
    ),
    "no-faster": N_(
        "Smaller, but no faster: zeros are multiplied too, so an example still takes "
        "{macs} multiply-adds."
    ),
    "decoded-first": N_(
        "Smaller, but no faster: the file is decoded to whole float32 matrices before it runs, so "
        "an example still takes {macs} multiply-adds."
    ),
}

_FORMATS: dict[str, Callable[[Any], str]] = {
    "zeros": lambda share: formatting.percent(share, 0),
    "asked_share": formatting.percent,
    "got_share": formatting.percent,
    "set_share": formatting.percent,
    "left_share": formatting.percent,
    "made_share": formatting.percent,
    "before_share": formatting.percent,
    "rounded_share": formatting.percent,
    "weights_share": formatting.percent,
    "macs_share": formatting.percent,
    "without": formatting.count,
    "judged": formatting.count,
    "asked": formatting.count,
    "length": formatting.count,
    "rank": formatting.count,
    "width": formatting.count,
    "rows": formatting.count,
    "blocks": formatting.count,
    "macs": formatting.count,
}


@dataclass(frozen=True)
class Reason:
    """Why a choice did not pay.

    `kind` is a key of `SENTENCES`; `layer` a tensor's name or empty; `numbers` what the sentence
    says, lengths in bytes and shares from 0 to 1; `weight` the bytes it is about, to sort by;
    `what` what is in the way, such as the class of a layer, or empty.
    """

    kind: str
    layer: str
    numbers: Mapping[str, Number]
    weight: int
    what: str = ""

    @property
    def text(self) -> str:
        """The sentence, in the reader's language."""
        words = {key: _FORMATS.get(key, formatting.nbytes)(n) for key, n in self.numbers.items()}
        return _(SENTENCES[self.kind]).format(layer=self.layer, what=self.what, **words)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        numbers = dict(self.numbers)
        plain = {"kind": self.kind, "layer": self.layer, "numbers": numbers, "weight": self.weight}
        return {**plain, "what": self.what} if self.what else plain
