"""What a module can be asked to do: found once for a user's module, by running it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Traits:
    """How a module may be run. The defaults are those of the built-in networks.

    Attributes
    ----------
    channels_last : bool
        Whether it gives the same outputs with channels last in memory and with quicker pooling.
    bfloat16 : bool
        Whether the bfloat16 fast path may be tried: its error bound was measured on built-in
        networks.
    float64 : bool
        Whether it runs in float64, so that borderline predictions can be decided there.
    single_example : bool
        Whether it takes a batch of one example.
    writes_inputs : bool
        Whether it changes the tensors that it is given.
    writes : tuple of str
        The saved tensors that it changes in eval mode: counters, or weights held to a norm.
    keeps : bool
        Whether a run leaves something in its attributes, such as a product of weights: what one
        set of weights left must not meet another.
    differentiates : bool
        Whether it needs autograd in its forward, as networks do that return forces.
    """

    channels_last: bool = True
    bfloat16: bool = True
    float64: bool = True
    single_example: bool = True
    mutates_inputs: bool = False
    mutated_tensors: tuple[str, ...] = ()
    mutates_attributes: bool = False
    uses_autograd: bool = False


BUILT_IN = Traits()
