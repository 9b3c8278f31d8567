"""Sensors, the table of processors, and the estimate."""

from __future__ import annotations

import pytest

from tests.profiling.energy.fakes import Clock, machine
from tests.raises import raises
from workbench.profiling.energy.processor_model import ProcessorModel
from workbench.profiling.energy.processors import FAMILIES, VARIABLE, CpuPower, cpu_power
from workbench.profiling.energy.sensors import PowerIntegral, open_battery, open_hwmon
from workbench.profiling.energy.source import LostSourceError


def write(folder, **files):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(f"{content}\n")


def test_power_is_summed_by_the_trapezoidal_rule():
    clock, watts = Clock(), iter([10.0, 20.0, 20.0])
    sensor = PowerIntegral(lambda: next(watts), "machine", "fake", clock=clock)
    clock.now += 2
    reading = sensor.read()
    assert (reading.joules, reading.uncertainty) == (30.0, 10.0)
    clock.now += 1
    reading = sensor.read()
    assert (reading.joules, reading.uncertainty) == (50.0, 10.0)


def test_hwmon(tmp_path):
    write(tmp_path / "hwmon0", name="coretemp", power1_input=999)
    write(tmp_path / "hwmon1", name="zenpower", power1_input=30_000_000)
    sensor = open_hwmon(tmp_path, Clock())
    assert (sensor.scope, sensor.name) == ("package", "hwmon zenpower")
    write(tmp_path / "hwmon2", name="power_meter", power1_average=80_000_000)
    clock = Clock()
    sensor = open_hwmon(tmp_path, clock)
    assert sensor.scope == "machine"
    clock.now += 10
    assert sensor.read().joules == pytest.approx(800)
    (tmp_path / "hwmon2" / "power1_average").unlink()
    with pytest.raises(LostSourceError):
        sensor.read()


BATTERIES = {
    "power": ({"power_now": 12_000_000}, 12),
    "current and voltage": ({"current_now": 1_000_000, "voltage_now": 11_000_000}, 11),
}


@pytest.mark.parametrize("kind", BATTERIES)
def test_battery(tmp_path, kind):
    files, watts = BATTERIES[kind]
    write(tmp_path / "AC", type="Mains", online=0)
    write(tmp_path / "BAT0", type="Battery", status="Discharging", **files)
    clock = Clock()
    sensor = open_battery(tmp_path, clock)
    clock.now += 5
    assert sensor.read().joules == pytest.approx(5 * watts)
    (tmp_path / "BAT0" / "status").write_text("Charging\n")
    with pytest.raises(LostSourceError):
        sensor.read()
    assert open_battery(tmp_path, clock) is None


def test_a_battery_without_power_readings(tmp_path):
    write(tmp_path / "BAT0", type="Battery", status="Discharging")
    assert open_battery(tmp_path, Clock()) is None


NAMES = {
    "AMD EPYC 7763 64-Core Processor": "EPYC, 3rd generation",
    "AMD EPYC 9654 96-Core Processor": "EPYC, 4th generation",
    "Intel(R) Xeon(R) CPU E5-2686 v4 @ 2.30GHz": "Xeon E5 v4",
    "Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz": "Xeon E5",
    "Intel(R) Xeon(R) Platinum 8275CL CPU @ 3.00GHz": "Xeon Scalable, 2nd generation",
    "Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz": "Xeon Scalable, 3rd generation",
    "Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz": "Xeon Scalable, 1st generation",
    "Intel(R) Xeon(R) Platinum 8488C": "Xeon Scalable, 4th generation",
}


@pytest.mark.parametrize("name", NAMES)
def test_table_of_processors(name):
    power = cpu_power(name, 4, {})
    _pattern, idle, full = FAMILIES[NAMES[name]]
    assert power == CpuPower(4 * idle, full - idle, NAMES[name])


@pytest.mark.parametrize("name", ["AMD EPYC", "Apple M2", "", "AMD EPYC 9755 128-Core Processor"])
def test_other_processors_have_the_mean(name):
    power = cpu_power(name, 1, {})
    assert power.origin == "the mean of server processors"
    assert 0.4 < power.idle < 2.3


def test_given_watts():
    assert cpu_power("AMD EPYC 7763", 4, {VARIABLE: "12,6.5"}) == CpuPower(12, 6.5, VARIABLE)


@pytest.mark.parametrize(
    "make",
    [
        lambda: cpu_power("", 1, {VARIABLE: "12"}),
        lambda: cpu_power("", 1, {VARIABLE: "a,b"}),
        lambda: CpuPower(-1, 2),
        lambda: CpuPower(1, float("inf")),
    ],
)
def test_invalid_watts(make):
    with raises("energy.invalid_watts"):
        make()


def test_estimate():
    clock, used = Clock(), Clock()
    model = ProcessorModel(CpuPower(10, 5), clock=clock, used=used)
    clock.now += 4
    used.now += 6  # more than one thread
    assert model.read().joules == 4 * 10 + 6 * 5
    without_idle = ProcessorModel(CpuPower(10, 5), idle=False, clock=clock, used=used)
    used.now += 1
    assert without_idle.read().joules == 5


def test_the_environment_of_a_machine(tmp_path):
    opened = machine(tmp_path, Clock(), **{VARIABLE: "1,2"}).open(gpus=False)
    assert opened.processor is opened.estimate
    assert VARIABLE in opened.estimate.name
