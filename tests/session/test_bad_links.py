"""A bad link says what to change, and changing only that gives a good one."""

from __future__ import annotations

import pytest

from workbench.errors import WorkbenchError
from workbench.session.link import parse_link

STUDENT = "fashion/cnn-10k.resnet.t4.labels1"
LENET = "m=fashion/lenet5"


@pytest.mark.parametrize(
    ("bad", "key", "good"),
    [
        ("m=fashion/lenet", "m", LENET),
        ("m=fashion/cnn-10k.resnet.t3.labels1&origin=fashion/lenet5", "m", f"m={STUDENT}"),
        ("m=fashion/cnn-10k.resnet.t4.labels7", "m", f"m={STUDENT}"),
        ("m=fashion/cnn-10k.alone.t4.labels1", "m", "m=fashion/cnn-10k.alone.labels1"),
        (f"m={STUDENT}&origin=fashion/lenet", "origin", f"m={STUDENT}&origin=fashion/lenet5"),
        (f"m={STUDENT}&origin=", "origin", f"m={STUDENT}"),
        (f"m={STUDENT}&origin=vowels/cnn", "origin", f"m={STUDENT}"),
        (f"{LENET}&origin=fashion/resnet", "origin", LENET),
        ("origin=fashion/resnet", "origin", ""),
        (f"{LENET}&budget=much", "budget", LENET),
        (f"{LENET}&budget=1e5", "budget", f"{LENET}&budget=100000"),
        (f"{LENET}&budget=0", "budget", LENET),
        (f"{LENET}&floor=90", "floor", f"{LENET}&floor=0.9"),
        (f"{LENET}&floor=nan", "floor", LENET),
        ("m=reviews-lm/gpt&floor=inf", "floor", "m=reviews-lm/gpt&floor=2"),
        (f"{LENET}&train.teacher=fashion/net", "train.teacher", f"{LENET}&train.teacher=self"),
        (f"{LENET}&train.teacher=vowels/cnn", "train.teacher", LENET),
        (
            f"{LENET}&prune.layers=fc1.weight",
            "prune.layers",
            f"{LENET}&prune.layers=fc1.weight:0.5",
        ),
        (f"{LENET}&prune.sparsity=1", "prune.sparsity", f"{LENET}&prune.sparsity=0.9"),
        (f"v=1.5&{LENET}", "v", f"v=2&{LENET}"),
        (f"{LENET}&bits=4", "bits", LENET),
        (f"{LENET}&plan.chip=h900", "plan.chip", f"{LENET}&plan.chip=h200"),
        (f"{LENET}&plan.chip=opened", "plan.chip", LENET),
        (f"{LENET}&plan.batch=3", "plan.batch", f"{LENET}&plan.batch=4"),
        (f"{LENET}&plan.batch=many", "plan.batch", LENET),
        (f"{LENET}&plan.price=-1", "plan.price", f"{LENET}&plan.price=1.5"),
        (f"{LENET}&plan.price=nan", "plan.price", f"{LENET}&plan.price=0"),
        (
            f"{LENET}&plan.precision=fp32",
            "plan.precision",
            f"{LENET}&plan.mode=train&plan.precision=fp32",
        ),
        (f"{LENET}&{LENET}", "m", LENET),
    ],
)
def test_a_bad_link_names_the_key_to_change(bad, key, good):
    with pytest.raises(WorkbenchError) as caught:
        parse_link(bad)
    words = str(caught.value).replace("'", " ").replace(":", " ").replace(",", " ").split()
    assert key in words, str(caught.value)
    parse_link(good)


def test_a_student_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(WorkbenchError) as caught:
        parse_link("m=fashion/cnn-10k.resnet.t3.labels1&origin=fashion/lenet5")
    message = str(caught.value)
    assert "fashion/cnn-10k.resnet.t3.labels1" in message
    assert "1, 2, 4, 8, 16" in message
    assert "origin" not in message


SEVERAL = {
    "bits=4": "bits",
    "budget=much": "budget",
    "floor=90": "floor",
    "origin=fashion/resnet": "origin",
    "plan.model=gpt": "plan.model",
    "prune.sparsity=7": "prune.sparsity",
    "quantize.bits=": "quantize.bits",
    "train.start=nowhere": "train.start",
}


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_all_faults_of_a_link_are_named_at_once(count):
    keys = [*SEVERAL]
    for start in range(len(keys)):
        bad = [keys[(start + step) % len(keys)] for step in range(count)]
        with pytest.raises(WorkbenchError) as caught:
            parse_link("&".join([LENET, *bad]))
        message = str(caught.value)
        assert f"{count} faults" in message
        assert all(SEVERAL[setting] in message for setting in bad), message


def test_a_link_with_many_faults_names_the_first_and_counts_the_others():
    with pytest.raises(WorkbenchError) as caught:
        parse_link("&".join(f"key{number}=1" for number in range(40)))
    message = str(caught.value)
    assert "40 faults" in message
    assert "'key0'" in message
    assert "35 more" in message
    assert len(message) < 400


def test_a_wrong_value_makes_no_other_setting_wrong():
    with pytest.raises(WorkbenchError) as caught:
        parse_link("m=fashion/resnet&train.start=scratchy&train.width=0.5")
    assert "train.start" in str(caught.value)
    assert "width" not in str(caught.value)
    assert "faults" not in str(caught.value)


def test_a_key_that_is_given_many_times_is_one_fault():
    with pytest.raises(WorkbenchError) as caught:
        parse_link("&".join([LENET] * 4))
    assert "faults" not in str(caught.value)
