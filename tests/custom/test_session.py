"""A person's own model in a session: brought again, nothing of the one before is shown."""

from __future__ import annotations

import threading

import torch
from torch import nn

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.session import Session


def bring(seed):
    torch.manual_seed(seed)
    lot = torch.Generator().manual_seed(1)
    data = torch.randn(60, 6, generator=lot), torch.randint(0, 3, (60,), generator=lot)
    splits = dict.fromkeys(("train", "validation", "test"), data)
    return wb.from_module(nn.Linear(6, 3), **splits, name="again")


def test_a_model_brought_again_begins_anew():
    bring(0)
    session = Session("custom/again", store=ResultCache())
    settled = threading.Event()

    def see(now):
        (settled.set if now.settled else settled.clear)()

    stop = session.subscribe(see)
    try:
        session.set(wb.Recipe(quantize=wb.Quantize(8)))
        assert settled.wait(60)
        other = bring(7)
        session.set(wb.Recipe(quantize=wb.Quantize(4)))
        settled.clear()
        see(session)
        assert settled.wait(60)
        known = wb.measure(other, session.recipe, timed=False, store=ResultCache())
        assert session.report.value == known.value
        assert [visit.recipe for visit in session.visited] == [session.recipe]
    finally:
        stop()
        session.close()
