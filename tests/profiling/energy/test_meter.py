"""Meters on fake counters: exact joules, and what is said where there is none."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.profiling.energy.fakes import Clock, Nvml, Powercap, machine
from tests.raises import raises
from workbench.profiling.energy import meter as meters
from workbench.profiling.energy.meter import EnergyMeter, energy_of
from workbench.profiling.energy.processors import CpuPower

J = 1_000_000
"""Microjoules of a joule."""
PACKAGE = "intel-rapl:0"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def powercap(tmp_path):
    tree = Powercap(tmp_path / "powercap")
    tree.zone(PACKAGE, "package-0", 5 * J)
    return tree


@pytest.fixture
def meter(tmp_path, clock):
    def make(**options):
        return EnergyMeter(machine=machine(tmp_path, clock, options.pop("nvml", None)), **options)

    return make


def section(meter, clock, seconds, change=lambda: None):
    meter.resume()
    change()
    clock.now += seconds
    meter.pause()


def test_exact_joules_of_a_package(meter, powercap, clock):
    counted = meter()
    section(counted, clock, 10, lambda: powercap.set(PACKAGE, 5 * J + 1_234_567_890))
    energy = counted.energy
    assert energy.joules == pytest.approx(1234.56789)
    assert (energy.how, energy.scopes, energy.sources) == (
        "counter",
        ("package",),
        ("RAPL package-0",),
    )
    assert not energy.idle_subtracted
    assert energy.low == pytest.approx(1234.56789 * (1 - 0.0001))  # a tick of 1 ms of 10 s
    assert energy.high == pytest.approx(1234.56789 * (1 + 0.0001))


def test_a_counter_that_returns_to_zero(tmp_path, meter, clock):
    tree = Powercap(tmp_path / "powercap")
    tree.zone(PACKAGE, "package-0", 65_000 * J, limit=65_536 * J)
    counted = meter()
    section(counted, clock, 10, lambda: tree.set(PACKAGE, 64 * J))
    section(counted, clock, 10, lambda: tree.set(PACKAGE, 65_535 * J))
    section(counted, clock, 10, lambda: tree.set(PACKAGE, 1 * J))
    assert counted.energy.joules == pytest.approx(600 + 65_471 + 2)


def test_packages_and_memory_count_once(tmp_path, meter, powercap, clock):
    zones = {
        "intel-rapl:0:0": "core",  # a part of package-0
        "intel-rapl:0:1": "dram",
        "intel-rapl:1": "package-1",
        "intel-rapl:2": "psys",  # includes the packages
        "intel-rapl-mmio:0": "package-0",  # the same counter again
    }
    for path, name in zones.items():
        powercap.zone(path, name, 0)
    counted = meter()

    def work():
        powercap.set(PACKAGE, 105 * J)
        for number, path in enumerate(zones, 1):
            powercap.set(path, 10**number * J)

    section(counted, clock, 1, work)
    energy = counted.energy
    assert energy.joules == pytest.approx(100 + 100 + 1000)
    assert energy.sources == ("RAPL package-0, package-1, dram",)


def test_the_platform_where_there_are_no_packages(tmp_path, meter, clock):
    tree = Powercap(tmp_path / "powercap")
    tree.zone("intel-rapl:0", "psys", 0)
    counted = meter(nvml=Nvml([0]), gpus=True)
    section(counted, clock, 1, lambda: tree.set("intel-rapl:0", 7 * J))
    energy = counted.energy
    assert (energy.joules, energy.scopes) == (pytest.approx(7), ("machine",))  # GPUs are in it


def test_missing_rights(meter, powercap, clock, monkeypatch):
    open_file = os.open

    def refuse(path, *options):
        if Path(path).name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return open_file(path, *options)

    monkeypatch.setattr(os, "open", refuse)
    counted = meter()
    monkeypatch.undo()
    section(counted, clock, 1)
    energy = counted.energy
    assert energy.how == "model"
    assert f"sudo chmod a+r {powercap.root}/intel-rapl:*/energy_uj" in energy.notes[0]


def test_a_counter_that_vanishes(meter, powercap, clock):
    counted = meter(power=CpuPower(10, 0))
    section(counted, clock, 1, lambda: powercap.set(PACKAGE, 50 * J))
    section(counted, clock, 1, (powercap.root / PACKAGE / "energy_uj").unlink)
    energy = counted.energy
    assert (energy.how, energy.joules) == ("model", pytest.approx(20))
    assert "RAPL package-0" in energy.notes[0]


def test_pauses_do_not_count(meter, powercap, clock):
    counted = meter()
    section(counted, clock, 1, lambda: powercap.set(PACKAGE, 15 * J))
    clock.now += 100
    powercap.set(PACKAGE, 10_000 * J)
    section(counted, clock, 1, lambda: powercap.set(PACKAGE, 10_002 * J))
    assert counted.energy.joules == pytest.approx(10 + 2)


def test_short_pauses_are_divided_by_time(meter, powercap, clock):
    counted = meter()
    joules = 5 * J
    for _ in range(100):  # 8 ms of work and 2 ms of pause at 100 W
        section(counted, clock, 0.008)
        clock.now += 0.002
        joules += J
        powercap.set(PACKAGE, joules)
    energy = counted.energy
    assert energy.joules == pytest.approx(80, rel=0.02)
    assert energy.low <= 60 + 2
    assert energy.high >= 100 - 2  # all of it may have been used in the sections


def test_gpus(meter, powercap, clock):
    nvml = Nvml([1_000, 50_000])
    counted = meter(nvml=nvml, gpus=True)

    def work():
        powercap.set(PACKAGE, 6 * J)
        nvml.millijoules = [31_000, 50_500]

    section(counted, clock, 10, work)
    energy = counted.energy
    assert energy.joules == pytest.approx(1 + 30 + 0.5)
    assert energy.scopes == ("package", "gpu")
    assert energy.how == "counter"
    assert energy.sources == ("RAPL package-0", "GPU 0, Fake", "GPU 1, Fake")
    assert energy.high - energy.joules == pytest.approx(0.0001 + 0.3 + 0.005)  # ticks of 100 ms


def test_gpus_of_a_process_that_does_not_use_them(meter, powercap, clock, monkeypatch):
    nvml = Nvml([0])
    monkeypatch.setattr(meters, "_uses_cuda", lambda: False)
    counted = meter(nvml=nvml)
    section(counted, clock, 1, lambda: setattr(nvml, "millijoules", [9_000]))
    assert counted.energy.scopes == ("package",)
    monkeypatch.setattr(meters, "_uses_cuda", lambda: True)
    assert counted.energy.joules == pytest.approx(9)


def test_a_gpu_without_a_counter_is_a_sensor(meter, powercap, clock):
    nvml = Nvml([0], counters=False)
    nvml.milliwatts = [100_000]
    counted = meter(nvml=nvml, gpus=True)
    section(counted, clock, 10)
    energy = counted.energy
    assert (energy.how, energy.scopes) == ("sensor", ("package", "gpu"))
    assert energy.joules == pytest.approx(1000)
    assert energy.low == pytest.approx(900 - 10)


def test_a_gpu_that_vanishes_is_not_known(meter, powercap, clock):
    nvml = Nvml([0])
    counted = meter(nvml=nvml, gpus=True)
    section(counted, clock, 1, lambda: setattr(nvml, "millijoules", [None]))
    energy = counted.energy
    assert (energy.how, energy.joules) == ("unknown", None)
    assert "GPU 0, Fake" in energy.notes[0]


def test_idle_power_is_subtracted(meter, powercap, clock):
    def sleep(seconds):
        clock.now += seconds
        powercap.set(PACKAGE, 5 * J + 20 * J)  # 10 W

    counted = meter(idle_seconds=2, sleep=sleep)
    section(counted, clock, 4, lambda: powercap.set(PACKAGE, 5 * J + 20 * J + 100 * J))
    energy = counted.energy
    assert energy.joules == pytest.approx(100 - 40)
    assert energy.idle_subtracted
    assert energy.low < energy.joules < energy.high


def test_the_estimate(tmp_path, meter, clock):
    counted = meter(power=CpuPower(10, 5, "mine"))
    section(counted, clock, 3)
    energy = counted.energy
    assert (energy.how, energy.scopes) == ("model", ("process",))
    used = energy.joules - 30
    assert 0 <= used < 5  # 5 W times the processor seconds of this test
    assert energy.low == pytest.approx(0.5 * energy.joules)
    assert energy.high == pytest.approx(1.6 * energy.joules)
    assert energy.sources == ("10 W idle, 5 W for each busy thread: mine",)


def test_without_a_counter_nothing_is_measured(tmp_path, meter, clock):
    (tmp_path / "cpuinfo").write_text("model name\t: Fake\nflags\t: fpu hypervisor sse\n")
    counted = meter()
    section(counted, clock, 1)
    energy = counted.energy
    assert energy.notes == ("This is a virtual machine, which has no energy counter.",)
    assert "measured" not in f"{energy} {energy.text} {energy.as_dict()}"


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows"])
def test_systems_without_counters(tmp_path, clock, system):
    counted = EnergyMeter(machine=replace(machine(tmp_path / "nowhere", clock), system=system))
    section(counted, clock, 1)
    assert counted.energy.how == "model"
    assert counted.energy.notes


def test_a_context_reads_sensors_in_a_thread(tmp_path, monkeypatch):
    monkeypatch.setattr(meters, "SAMPLE_SECONDS", 0.001)
    folder = tmp_path / "hwmon" / "hwmon3"
    folder.mkdir(parents=True)
    (folder / "name").write_text("power_meter\n")
    (folder / "power1_average").write_text("50000000\n")
    with EnergyMeter(machine=machine(tmp_path, time.perf_counter)) as counted:
        sum(range(2_000_000))
    energy = counted.energy
    assert (energy.how, energy.scopes, energy.sources) == (
        "sensor",
        ("machine",),
        ("hwmon power_meter",),
    )
    assert energy.joules > 0


def test_ticks(meter, powercap, clock):
    counted = meter()
    section(counted, clock, 0.25)
    assert counted.ticks == pytest.approx(250)


def test_energy_of():
    result, energy = energy_of(lambda: "result")
    assert result == "result"
    assert energy.joules >= 0


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "2"])
def test_a_bad_idle_time_gets_a_sentence(meter, seconds):
    with raises("energy.invalid_idle"):
        meter(idle_seconds=seconds)


def test_gpus_that_cannot_be_read_are_named(tmp_path, clock):
    class Silent(Nvml):
        def nvmlDeviceGetPowerUsage(self, handle):  # noqa: N802
            raise self.NVMLError("No rights")

    silent = machine(tmp_path, clock, Silent([None, 5]))
    with EnergyMeter(gpus=True, machine=silent) as counted:
        clock.now += 1
    assert any("GPU 0, Fake is not included" in note for note in counted.energy.notes)
    assert not any("GPU 1" in note for note in counted.energy.notes)
    with EnergyMeter(gpus=True, machine=machine(tmp_path, clock)) as without:
        clock.now += 1
    assert any("No GPU is included" in note for note in without.energy.notes)
    with EnergyMeter(gpus=False, machine=machine(tmp_path, clock)) as unasked:
        clock.now += 1
    assert not any("GPU" in note for note in unasked.energy.notes)


def test_a_gpu_counter_that_begins_again_is_not_known(tmp_path, clock):
    nvml = Nvml([9_000])
    with EnergyMeter(gpus=True, machine=machine(tmp_path, clock, nvml)) as counted:
        clock.now += 1
        nvml.millijoules[0] = 10
    assert counted.energy.joules is None
    assert counted.energy.how == "unknown"
