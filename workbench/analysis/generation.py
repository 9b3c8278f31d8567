"""What a language model writes, before and after compression, from the same start and lot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.analysis.artifact_for import artifact_for
from workbench.artifact.artifact import Artifact
from workbench.cache.memory import MemoryCache
from workbench.domain import Model, Task
from workbench.errors import Cancelled, WorkbenchError
from workbench.recipe import Recipe
from workbench.runtime.batch import call
from workbench.validation import expect_count, expect_model
from workbench.zoo.attention import start_incremental_decoding
from workbench.zoo.reviews_lm.characters import decode, encode

NEW_LINE = "\n"
"""Where a review ends and the next begins."""
OPENING = 32
"""The most characters of a review that `example_prompt` takes."""
MAX_CHARACTERS = 2_000
"""The most characters that are written at once: about ten seconds's work."""
KEPT = 16

_originals: MemoryCache[str] = MemoryCache(KEPT)


@dataclass(frozen=True)
class Generation:
    """What the original (`before`) and the file (`after`) wrote after `prompt`."""

    model: str
    prompt: str
    seed: int
    temperature: float
    before: str
    after: str

    @property
    def common_prefix(self) -> int:
        """With how many equal characters both texts begin."""
        pairs = zip(self.before, self.after, strict=True)
        return next((n for n, (one, other) in enumerate(pairs) if one != other), len(self.before))

    def __repr__(self) -> str:
        return (
            f"<Written {self.model}, alike for {self.common_prefix} of {len(self.before)} characters>\n"
            f"prompt: {self.prompt.strip()}\n"
            f"before: {self.before}\n"
            f"after:  {self.after}"
        )


def generate(
    model: Model,
    what: Recipe | Artifact,
    *,
    prompt: str = NEW_LINE,
    characters: int = 200,
    seed: int = 0,
    temperature: float = 0.8,
    cancelled: Callable[[], bool] = lambda: False,
    progress: Callable[[float], None] = lambda share: None,
) -> Generation:
    """Let a language model and its compressed file write on from the same start.

    For each character one uniform number is drawn from `seed`, and both take the character at that
    share of their distributions, in the alphabet's order: so they write the same until they differ
    in what they find likely.

    Parameters
    ----------
    model
    what
        How to compress it, or a file that holds it compressed.
    prompt
        What both go on from; of a long one, what the model sees at once.
    characters
        How many to write.
    seed
    temperature
        Below 1 the likely becomes likelier, above 1 the unlikely.
    cancelled, progress
        Asked between two characters whether to give up, and told the share done, 0 to 1.

    Raises
    ------
    RecipeError, ArtifactError
        When the recipe or the file does not fit the model.
    WorkbenchError
        When the model predicts no characters, or a setting is out of range.
    Cancelled
        When `cancelled()` answers True on the way.

    >>> import workbench as wb
    >>> model = wb.model("reviews-lm/gpt")
    >>> written = wb.generate(model, wb.Recipe(quantize=wb.Quantize(bits=8)), characters=20)
    >>> len(written.before) == len(written.after) == 20
    True
    """
    check_can_generate(expect_model(model).task)
    count = expect_count(characters, "The number of characters")
    lot = expect_count(seed, "The seed", least=0)
    if count > MAX_CHARACTERS:
        raise WorkbenchError(f"Write at most {MAX_CHARACTERS:,} characters at once, not {count:,}.")
    if not 0.01 <= temperature <= 100:
        raise WorkbenchError("The temperature must be from 0.01 to 100.")
    if not prompt:
        raise WorkbenchError("The prompt must have at least one character, such as a new line.")
    artifact = artifact_for(model, what, cancelled)
    key = (model.name, model.digest, prompt, count, lot, temperature)
    uniforms = np.random.default_rng(lot).random(count)
    before = _originals.get(key)

    def half(number: int) -> Callable[[float], None]:
        def step(share: float) -> None:
            if cancelled():
                raise Cancelled("Writing was stopped.")
            progress((number + share) / 2)

        return step

    if before is None:
        before = _written(model, model.weights(), prompt, uniforms, temperature, half(0))
        _originals.put(key, before, model.architecture.lifetime)
    small = model.with_spec(artifact.spec)
    after = _written(small, artifact.operands(), prompt, uniforms, temperature, half(1))
    return Generation(model.name, prompt, lot, float(temperature), before, after)


def can_generate(task: Task) -> bool:
    """Whether the models of a task predict characters, one after another."""
    return task.input_type == "characters" and task.metric.counts == "tokens"


def check_can_generate(task: Task) -> None:
    """Raise `WorkbenchError` where models of `task` cannot write."""
    if not can_generate(task):
        raise WorkbenchError(
            f"Only a model that predicts the next character can write, and none of {task.title} "
            "does."
        )


def example_prompt(task: Task, number: int) -> str:
    """Return how a review of the validation split begins: a new line and its first words.

    `number` counts from 0 the reviews that begin within the split, and after the last the first
    comes again.
    """
    stream = decode(task.split("validation").examples.ravel().tolist())
    reviews = [line for line in stream.split(NEW_LINE)[1:-1] if len(line) > OPENING]
    words = reviews[number % len(reviews)][: OPENING + 1].rpartition(" ")[0]
    return NEW_LINE + (words or reviews[number % len(reviews)][:OPENING])


def _written(
    model: Model,
    weights: Mapping[str, Tensor],
    prompt: str,
    uniforms: NDArray[np.float64],
    temperature: float,
    step: Callable[[float], None],
) -> str:
    """Return the characters that a model writes, one for each of `uniforms`.

    Where what it sees at once is full, it goes on from the second half.

    After Devroye (1986, Non-Uniform Random Variate Generation, chapter III.2): the inverse of the
    distribution function.
    """
    module = model.module()  # of this text's own: it remembers what it has read
    window = model.task.split("validation").examples.shape[1]
    seen = encode(prompt)[-window:].tolist()
    unread = 0  # of what is seen; nothing was read yet, too, after it was cut
    start_incremental_decoding(module)
    text: list[int] = []
    for place, uniform in enumerate(uniforms):
        step(place / len(uniforms))
        inputs = model.task.inputs(np.array([seen[unread:]], np.uint8))
        with torch.inference_mode():
            logits = call(module, weights, inputs)[0, -1].double().numpy() / temperature
        shares = np.exp(logits - logits.max()).cumsum()
        chosen = min(int(np.searchsorted(shares, uniform * shares[-1], "right")), len(shares) - 1)
        text.append(chosen)
        seen, unread = [*seen, chosen], len(seen)
        if len(seen) > window:
            seen, unread = seen[-window // 2 :], 0
            start_incremental_decoding(module)
    return decode(text)
