"""Training of checkpoints is bit-reproducible; augmentation works."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from workbench import zoo
from workbench.checkpoints.__main__ import main
from workbench.checkpoints.make import make_checkpoint
from workbench.domain.task import Split
from workbench.training.augment import mirrored, shifted
from workbench.zoo.registry import architecture


def first(split: Split, examples: int) -> Split:
    return Split(split.name, split.examples[:examples], split.labels[:examples], "")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*zoo.models("fashion"), "reviews/gru", "vowels/cnn"])
def test_repeated_training_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    network = architecture(name)
    plan = replace(network.plan, epochs=1)
    count = 64 if name == "reviews/gru" else 128  # its examples are long
    splits = tuple(first(network.task.split(s), count) for s in ("train", "validation", "test"))
    assert len(splits) == 3
    random_state = torch.get_rng_state()
    paths = [tmp_path / f"{i}.safetensors" for i in range(2)]
    for path in paths:
        make_checkpoint(network, plan, splits, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert torch.equal(torch.get_rng_state(), random_state)
    card = json.loads(paths[0].with_suffix(".json").read_text(encoding="utf-8"))
    assert card.keys() == zoo.model(name).card.keys()
    other = tmp_path / "other.safetensors"
    make_checkpoint(network, replace(plan, seed=plan.seed + 1), splits, other)
    assert other.read_bytes() != paths[0].read_bytes()


@pytest.mark.parametrize("name", zoo.models())
def test_card_contains_the_training_plan(name: str) -> None:
    plan = architecture(name).plan
    training = zoo.model(name).card["training"]
    assert {key: training[key] for key in plan.__dict__} == plan.__dict__
    assert training["examples"] == len(zoo.model(name).task.split("train"))
    assert training["command"].endswith(name)


def test_shifted_moves_rows_and_columns() -> None:
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 1
    images, offsets = image.repeat(3, 1, 1, 1), torch.tensor([[0, 1, -2], [0, -1, 2]])
    positions = [tuple(m[0].nonzero()[0].tolist()) for m in shifted(images, offsets)]
    assert positions == [(2, 2), (3, 1), (0, 4)]


def test_mirrored_flips_the_selected_images() -> None:
    images = torch.arange(8.0).reshape(2, 1, 2, 2)
    result = mirrored(images, torch.tensor([True, False]))
    assert result[0].flatten().tolist() == [1, 0, 3, 2]
    assert torch.equal(result[1], images[1])


def test_unknown_model_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["fashion/lenet6"])
    assert capsys.readouterr().err.count("\n") == 1
