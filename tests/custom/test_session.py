"""A user model in a session: after registering it again, no earlier results are shown."""

from __future__ import annotations

import threading

import torch
from torch import nn

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.session import Session


def register(seed):
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(1)
    data = torch.randn(60, 6, generator=rng), torch.randint(0, 3, (60,), generator=rng)
    splits = dict.fromkeys(("train", "validation", "test"), data)
    return wb.from_module(nn.Linear(6, 3), **splits, name="again")


def test_a_model_that_is_registered_again_starts_without_history():
    register(0)
    session = Session("custom/again", store=ResultCache())
    settled = threading.Event()

    def update(now):
        (settled.set if now.settled else settled.clear)()

    stop = session.subscribe(update)
    try:
        session.set(wb.Recipe(quantize=wb.Quantize(8)))
        assert settled.wait(60)
        other = register(7)
        session.set(wb.Recipe(quantize=wb.Quantize(4)))
        settled.clear()
        update(session)
        assert settled.wait(60)
        expected = wb.measure(other, session.recipe, timed=False, store=ResultCache())
        assert session.report.value == expected.value
        assert [visit.recipe for visit in session.visited] == [session.recipe]
    finally:
        stop()
        session.close()
