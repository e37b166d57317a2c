"""Zones that are dead or count wrong, the same ones for the whole of a run."""

from __future__ import annotations

import numpy as np
import pytest

from ops.faulty_zones import FaultyZones, ZoneFaults, factors
from tests.unit.control.fakes import FakePlant, make_crossroads
from traffic.decisions import Stage
from traffic.errors import BadInput


def make_plant() -> FakePlant:
    plant = FakePlant([make_crossroads(name) for name in "abcdef"])
    plant.readings[:] = 10.0
    return plant


def test_an_approach_is_dead_or_wrong_as_a_whole_and_all_the_time() -> None:
    plant = make_plant()
    faulty = FaultyZones(plant, ZoneFaults(dead_zones=0.4, count_error=0.3), 3)
    first = faulty.snapshot()
    faulty.advance(5.0)
    again = faulty.snapshot()
    np.testing.assert_array_equal(first.arriving_veh, again.arriving_veh)
    by_approach: dict[str, set[float]] = {}
    for row, value in zip(plant.network.movements.values(), first.arriving_veh.tolist(), strict=True):
        by_approach.setdefault(row.approach, set()).add(-1.0 if np.isnan(value) else value)
    assert all(len(values) == 1 for values in by_approach.values())
    known = [value for values in by_approach.values() for value in values if value >= 0.0]
    assert 0 < len(known) < len(by_approach)
    assert all(7.0 <= value <= 13.0 for value in known)
    assert len(set(known)) == len(known)
    assert (np.isnan(first.arriving_veh) == np.isnan(first.queued_veh)).all()


def test_seeds_differ_and_repeat() -> None:
    network, faults = make_plant().network, ZoneFaults(count_error=0.2)
    np.testing.assert_array_equal(factors(network, faults, 1), factors(network, faults, 1))
    assert (factors(network, faults, 1) != factors(network, faults, 2)).any()


def test_commands_go_through() -> None:
    plant = make_plant()
    FaultyZones(plant, ZoneFaults(dead_zones=1.0), 0).command([Stage(next(iter(plant.junctions)), 1)])
    assert plant.commands


@pytest.mark.parametrize("faults", [ZoneFaults(dead_zones=1.5), ZoneFaults(count_error=float("nan"))])
def test_what_is_no_share_is_refused(faults: ZoneFaults) -> None:
    with pytest.raises(BadInput, match="0 to 1"):
        faults.check()
