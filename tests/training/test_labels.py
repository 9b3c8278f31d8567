"""A share of the labels: which examples have one, and the loss of those with and without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

import workbench as wb
from tests.raises import raises
from workbench.recipe import Prune, Recipe, Structure, Train
from workbench.training.microbatch import BatchOrder, microbatch
from workbench.training.objective import objective
from workbench.training.run import Run
from workbench.training.setup import training_setup
from workbench.training.subset import labeled_examples

MLP = "fashion/mlp-32"
FEW = Train(20, start="scratch", labels=0.01, threads=1)
TAUGHT = replace(FEW, teacher="fashion/lenet-300-100", temperature=2)
LABELS = wb.task("fashion").split("train").labels


@pytest.mark.parametrize(("share", "number"), [(0.01, 200), (0.05, 1000), (0.001, 20), (1, 20_000)])
def test_the_share_is_exact_and_in_proportion_to_the_classes(share, number):
    chosen = labeled_examples(LABELS, share, seed=3)
    assert len(chosen) == len(set(chosen)) == number
    expected = share * np.bincount(LABELS)
    assert np.abs(np.bincount(LABELS[chosen], minlength=10) - expected).max() < 1.5


def test_every_class_has_an_example():
    labels = np.array([0] * 500 + [7] * 2 + [3])
    assert set(labels[labeled_examples(labels, 0.001, seed=0)]) == {0, 3, 7}


def test_the_seed_chooses_and_smaller_shares_are_subsets():
    large, small = (set(labeled_examples(LABELS, share, seed=0)) for share in (0.05, 0.01))
    assert small < large
    assert small == set(labeled_examples(LABELS, 0.01, seed=0))
    assert small != set(labeled_examples(LABELS, 0.01, seed=1))


def test_alone_sees_the_labeled_examples_only():
    setup = training_setup(wb.model(MLP), Recipe(train=FEW))
    split = wb.task("fashion").split("train")
    chosen = labeled_examples(split.labels, 0.01, FEW.seed)
    assert np.array_equal(setup.examples, split.examples[chosen])
    assert np.array_equal(setup.labels, split.labels[chosen])
    assert setup.labeled is None


def test_a_teacher_answers_on_all_examples():
    setup = training_setup(wb.model(MLP), Recipe(train=TAUGHT))
    assert len(setup.labels) == 20_000
    chosen = setup.labeled.nonzero().flatten().numpy()
    assert np.array_equal(chosen, labeled_examples(LABELS, 0.01, TAUGHT.seed))


def plain_loss(settings, outputs, labels, teacher, labeled, weights):
    """Return the loss as a loop over examples."""
    t, total = settings.temperature, 0.0
    for number in range(len(outputs)):
        p, q = (functional.softmax(z[number] / t, dim=0) for z in (teacher, outputs))
        loss = t**2 * (p * (p / q).log()).sum()
        if labeled[number]:
            hard = -functional.softmax(outputs[number], dim=0)[labels[number]].log()
            loss = settings.mix * loss + (1 - settings.mix) * hard
        total += weights[number] * loss
    return total / weights.sum()


@pytest.mark.parametrize("labeled", [[True, False, True, False], [False] * 4, [True] * 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_is_that_of_plain_pytorch(labeled, weighted):
    generator = torch.Generator().manual_seed(0)
    outputs, teacher = 3 * torch.randn(2, 4, 10, dtype=torch.float64, generator=generator)
    labels, mask = torch.tensor([0, 9, 3, 3]), torch.tensor(labeled)
    weights = torch.tensor([1.0, 2.0, 0.5, 0.0] if weighted else [1.0] * 4, dtype=torch.float64)
    settings = Train(temperature=3, mix=0.7)
    given = weights if weighted else None
    inputs = outputs.requires_grad_()
    value = objective(settings, inputs, labels, teacher, given, mask)
    expected = plain_loss(settings, inputs, labels, teacher, mask, weights)
    assert value.item() == pytest.approx(expected.item(), rel=1e-9)
    gradients = [torch.autograd.grad(loss, inputs)[0] for loss in (value, expected)]
    assert torch.allclose(*gradients)


def test_a_missing_label_has_no_effect():
    generator = torch.Generator().manual_seed(1)
    outputs, teacher = torch.randn(2, 3, 10, generator=generator)
    mask = torch.tensor([True, False, False])
    losses = {
        objective(Train(), outputs, torch.tensor(labels), teacher, None, mask).item()
        for labels in ([1, 2, 3], [1, 9, 0])
    }
    assert len(losses) == 1


def test_all_labels_give_the_loss_without_a_mask():
    generator = torch.Generator().manual_seed(2)
    outputs, teacher = torch.randn(2, 5, 10, generator=generator)
    labels = torch.tensor([0, 1, 2, 3, 4])
    losses = [
        objective(Train(label_smoothing=0.1), outputs, labels, teacher, None, mask).item()
        for mask in (None, torch.ones(5, dtype=torch.bool))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_run_takes_the_steps_of_plain_pytorch():
    settings = replace(TAUGHT, steps=5, optimizer="sgd", learning_rate=0.1, schedule="constant")
    recipe = Recipe(train=settings)
    setup = training_setup(wb.model(MLP), recipe)
    weights = {name: w.detach().clone().requires_grad_() for name, w in setup.weights.items()}
    order = BatchOrder(settings.seed, 20_000, settings.batch)
    split = wb.task("fashion").split("train")
    known = set(labeled_examples(split.labels, 0.01, settings.seed).tolist())
    for step in range(settings.steps):
        chosen = order(step).numpy()
        x = torch.from_numpy(split.examples[chosen]).float().flatten(1) / 255
        hidden = functional.relu(x @ weights["fc1.weight"].T + weights["fc1.bias"])
        outputs = hidden @ weights["fc2.weight"].T + weights["fc2.bias"]
        teacher = microbatch(setup, order(step), settings, torch.Generator()).teacher
        mask = torch.tensor([number in known for number in chosen.tolist()])
        labels = torch.from_numpy(split.labels[chosen]).long()
        loss = plain_loss(settings, outputs, labels, teacher, mask, torch.ones(len(chosen)))
        gradients = torch.autograd.grad(loss, list(weights.values()))
        with torch.no_grad():
            for weight, gradient in zip(weights.values(), gradients, strict=True):
                weight.sub_(0.1 * gradient)
    run = Run(setup, recipe)
    for _step in run.go():
        pass
    trained = run.trained().weights
    assert all(torch.allclose(trained[n], w, atol=1e-5) for n, w in weights.items())


def test_a_fold_has_its_share_of_labels():
    examples = np.arange(4000)
    for settings, rows in ((FEW, 40), (TAUGHT, 4000)):
        setup = training_setup(wb.model(MLP), Recipe(train=settings), examples=examples)
        assert len(setup.examples) == len(setup.labels) == rows
    chosen = setup.labeled.nonzero().flatten().numpy()
    assert np.array_equal(chosen, labeled_examples(LABELS[:4000], 0.01, FEW.seed))


def test_the_share_is_refused_where_examples_have_no_class(linear):
    model = linear()
    with raises("training.labels_without_classes", "set labels to 1"):
        training_setup(model, Recipe(train=Train(2, labels=0.5)))
    with raises("training.labels_without_classes"):
        training_setup(wb.model("reviews-lm/gpt"), Recipe(train=Train(2, labels=0.5)))


def test_the_share_is_refused_with_a_custom_loss():
    x, y = torch.randn(60, 4), torch.randint(0, 2, (60,))
    data = dict.fromkeys(("train", "validation", "test"), (x, y))
    model = wb.from_module(torch.nn.Linear(4, 2), **data, name="few", loss=functional.cross_entropy)
    with raises("training.labels_with_custom_loss"):
        training_setup(model, Recipe(train=Train(2, labels=0.5)))


@pytest.mark.parametrize(
    "part", [Prune(0.5, criterion="gradient"), Structure(0.5, criterion="gradient")]
)
def test_gradients_of_all_labels_are_refused(part):
    with raises("recipe.gradients_with_few_labels"):
        Recipe(part, train=Train(labels=0.5))
    assert Recipe(part, train=Train()).train.labels == 1


def test_a_recipe_without_the_share_keeps_its_text():
    assert "labels" not in Recipe(train=Train()).to_json()
    assert Recipe.from_json(Recipe(train=FEW).to_json()) == Recipe(train=FEW)
