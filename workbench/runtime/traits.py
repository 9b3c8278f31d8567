"""Traits: the ways in which a module can run, determined once by probing a user's module."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Traits:
    """The ways in which a module can run. The defaults are those of the built-in networks.

    Attributes
    ----------
    channels_last : bool
        Whether it has the same outputs in channels-last memory format and with faster pooling.
    bfloat16 : bool
        Whether the bfloat16 fast path is allowed. Its error bound was measured on built-in
        networks.
    float64 : bool
        Whether it runs in float64, which decides borderline predictions.
    single_example : bool
        Whether it runs on a batch of one example.
    mutates_inputs : bool
        Whether it writes to its inputs.
    mutated_tensors : tuple of str
        The saved tensors that it writes to in eval mode, such as counters or weights that are
        renormalized.
    weight_orders : tuple of (str, tuple of int)
        The order in memory of the axes of weights, slowest first, if the outputs depend on it.
    mutates_attributes : bool
        Whether a run changes its attributes, such as a cached product of weights. The attributes
        are then restored, because they must not be used with other weights.
    uses_autograd : bool
        Whether its forward pass needs autograd, as in networks that return forces.
    """

    channels_last: bool = True
    bfloat16: bool = True
    float64: bool = True
    single_example: bool = True
    mutates_inputs: bool = False
    mutated_tensors: tuple[str, ...] = ()
    weight_orders: tuple[tuple[str, tuple[int, ...]], ...] = ()
    mutates_attributes: bool = False
    uses_autograd: bool = False


BUILT_IN = Traits()
