"""Detectors as user models: boxes, a custom loss, mean average precision."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench import formatting
from workbench.custom.average_precision import mean_average_precision


def boxes(*corners):
    return torch.tensor(corners, dtype=torch.float32).view(-1, 4)


def guess(corners, scores, labels):
    return {"boxes": corners, "scores": torch.tensor(scores), "labels": torch.tensor(labels)}


def truth(corners, labels):
    return {"boxes": corners, "labels": torch.tensor(labels)}


SQUARE, FAR = (0, 0, 10, 10), (50, 50, 60, 60)
CASES = {
    "all detected": ([guess(boxes(SQUARE), [0.9], [0])], [truth(boxes(SQUARE), [0])], 1.0),
    "none detected": ([guess(boxes(FAR), [0.9], [0])], [truth(boxes(SQUARE), [0])], 0.0),
    "another class": ([guess(boxes(SQUARE), [0.9], [1])], [truth(boxes(SQUARE), [0])], 0.0),
    "no detections": (
        [guess(boxes(), [], torch.zeros(0, dtype=torch.int64).tolist())],
        [truth(boxes(SQUARE), [0])],
        0.0,
    ),
    # an overlap of 0.8 reaches the thresholds 0.5 to 0.8: 7 of 10
    "approximately": ([guess(boxes((0, 0, 8, 10)), [0.9], [0])], [truth(boxes(SQUARE), [0])], 0.7),
    # an overlap of exactly 0.5 reaches the first of 10 thresholds
    "half": ([guess(boxes((0, 0, 5, 10)), [0.9], [0])], [truth(boxes(SQUARE), [0])], 0.1),
    # the first of two detections is wrong: precision 1/2 at every recall
    "a false positive first": (
        [guess(boxes(FAR, SQUARE), [0.9, 0.8], [0, 0])],
        [truth(boxes(SQUARE), [0])],
        0.5,
    ),
    "a false positive last": (
        [guess(boxes(FAR, SQUARE), [0.7, 0.8], [0, 0])],
        [truth(boxes(SQUARE), [0])],
        1.0,
    ),
    # each box is matched once: recall 1/2 is reached, 51 of 101 points
    "twice the same": (
        [guess(boxes(SQUARE, SQUARE), [0.9, 0.8], [0, 0])],
        [truth(boxes(SQUARE, FAR), [0, 0])],
        51 / 101,
    ),
    "two classes": (
        [guess(boxes(SQUARE, FAR), [0.9, 0.8], [0, 1])],
        [truth(boxes(SQUARE, (0, 0, 5, 5)), [0, 1])],
        0.5,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_average_precision_of_known_cases(case):
    detected, true, expected = CASES[case]
    detected = [{k: v.long() if k == "labels" else v for k, v in d.items()} for d in detected]
    assert mean_average_precision([detected], [true]) == pytest.approx(expected, abs=1e-6)


class Finder(nn.Module):
    """Detects one bright square: returns corners in training, otherwise a list of boxes."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(144, 64), nn.ReLU(), nn.Linear(64, 4))

    def forward(self, images):
        corners = self.layers(images)
        if self.training:
            return corners
        score, label = torch.ones(1), torch.zeros(1, dtype=torch.int64)
        return [{"boxes": box.view(1, 4), "scores": score, "labels": label} for box in corners]


class Squares(torch.utils.data.Dataset):
    def __init__(self, seed, examples=150):
        generator = torch.Generator().manual_seed(seed)
        places = torch.randint(0, 8, (examples, 2), generator=generator)
        self.images = torch.rand(examples, 1, 12, 12, generator=generator) * 0.1
        self.corners = torch.cat([places, places + 4], dim=1).float()
        for image, (x, y) in zip(self.images, places.tolist(), strict=True):
            image[0, y : y + 4, x : x + 4] = 1

    def __len__(self):
        return len(self.images)

    def __getitem__(self, number):
        target = {"boxes": self.corners[number].view(1, 4), "labels": torch.zeros(1).long()}
        return self.images[number], target


def collate(items):
    return torch.stack([image for image, _target in items]), [target for _image, target in items]


def loss(outputs, targets):
    return nn.functional.smooth_l1_loss(outputs, torch.cat([image["boxes"] for image in targets]))


@pytest.mark.slow
def test_a_detector_is_trained_and_compressed():
    torch.manual_seed(0)
    names = ("train", "validation", "test")
    data = {
        name: torch.utils.data.DataLoader(Squares(seed), batch_size=16, collate_fn=collate)
        for seed, name in enumerate(names)
    }
    model = wb.from_module(
        Finder(), **data, name="finder", metric="mean average precision", loss=loss
    )
    assert model.task.metric.is_fraction
    recipe = wb.Recipe(prune=wb.Prune(0.3), quantize=wb.Quantize(bits=8))
    untrained = wb.measure(model, recipe, timed=False)
    trained = wb.evaluate(wb.train(model, recipe, steps=400, learning_rate=3e-3), timed=False)
    assert untrained.exact
    assert untrained.value < 0.2 < trained.value
    assert f"mean average precision {formatting.percent(trained.value)} of" in repr(trained)
    with raises("training.teacher_with_custom_loss"):
        wb.train(model, steps=1, teacher="self")
