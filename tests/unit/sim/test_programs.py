"""Programs into one ring and back: the same lamps, second by second."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.netfile import NativeInterval, Program
from sim.network import read_network
from sim.programs import actuated, program_of_plan, read_signals, unholdable, write_programs
from sim.ring_of_program import ring_of_program
from sim.safe_programs import pro_rata, safe_program
from tests.unit.sim.net_files import write_net
from tests.unit.sim.random_programs import make_crossing, programs
from traffic.ids import JunctionId
from traffic.lamps import is_stage, stages
from traffic.signals import GREEN_LETTERS


def make_program(*rows: tuple[float, str], offset_s: float = 0.0) -> Program:
    intervals = tuple(NativeInterval(duration_s=span, lamps=lamps) for span, lamps in rows)
    return Program(junction="J", offset_s=offset_s, intervals=intervals)


def shown(program: Program, begin_s: int, seconds: int) -> list[str]:
    return [program.lamps_at(float(time_s)) for time_s in range(begin_s, begin_s + seconds)]


@settings(max_examples=300, deadline=None)
@given(program=programs(), begin_s=st.integers(0, 100_000))
def test_a_program_comes_back_from_the_model_second_by_second(program: Program, begin_s: int) -> None:
    crossing = make_crossing(len(program.intervals[0].lamps))
    junction, plan, losses = ring_of_program(program, crossing)
    again = program_of_plan(junction, plan)
    assert losses == ()
    assert 0 <= plan.pattern.offset_s < plan.pattern.cycle_s == program.cycle_s
    assert shown(again, begin_s, 2 * int(program.cycle_s)) == shown(program, begin_s, 2 * int(program.cycle_s))


def test_a_link_yellow_between_two_greens_has_an_overlap_for_each() -> None:
    program = make_program((20, "Gr"), (3, "yr"), (10, "GG"), (3, "yy"), (5, "rG"), (3, "ry"))
    junction, _, losses = ring_of_program(program, make_crossing(2))
    assert losses == ()
    assert [o.parents for o in junction.overlaps if 0 in o.link_indices] == [{1}, {2}]


def test_what_a_ring_cannot_show_is_named() -> None:
    program = make_program((20, "Gr"), (3, "yG"), (20, "rG"), (3, "ry"))
    _, _, losses = ring_of_program(program, make_crossing(2))
    assert losses == ("J: 20-23 s shows yr for yG",)


def test_an_offset_is_the_start_of_green_whatever_interval_comes_first(tmp_path: Path) -> None:
    program = make_program((3, "ry"), (20, "Gr"), (3, "yr"), (30, "rG"), offset_s=11.0)
    _, plan, _ = ring_of_program(program, make_crossing(2))
    assert plan.pattern.offset_s == 14


def test_the_programs_of_a_network_are_read_with_losses_and_pedestrians_known_to_be_none(tmp_path: Path) -> None:
    path = write_net(tmp_path)
    signals = read_signals(path, read_network(path))
    junction = signals.junctions[JunctionId("C")]
    assert signals.losses[JunctionId("C")] == ()
    assert [(p.min_green_s, p.yellow_ds, p.red_clear_ds, p.walk_s) for p in junction.phases] == [(5, 30, 0, 0)] * 2
    assert stages(junction) == ("Gr", "rG")
    assert signals.plans[JunctionId("C")].pattern.offset_s == 7


def test_the_last_program_of_the_additional_files_is_in_force(tmp_path: Path) -> None:
    path = write_net(tmp_path)
    own = replace(make_program((40, "Gr"), (4, "yr"), (10, "rG"), (4, "ry")), junction="C")
    extra = write_programs(tmp_path / "own.add.xml", [own])
    signals = read_signals(path, read_network(path, [extra]), [extra])
    assert signals.plans[JunctionId("C")].pattern.cycle_s == 58


def test_what_no_controller_holds_is_named() -> None:
    rows: list[tuple[float, str]] = []
    for place in range(17):
        lamps = "r" * place + "G" + "r" * (16 - place)
        rows += [(13.0, lamps), (2.0, lamps.replace("G", "y"))]
    junction, plan, _ = ring_of_program(make_program(*rows), make_crossing(17))
    faults = " ".join(unholdable(junction, plan))
    assert "17 phases" in faults
    assert "30-255 s" not in faults
    assert "yellow of phase 1 2 s" in faults
    short, short_plan, _ = ring_of_program(make_program((10, "Gr"), (3, "yr"), (10, "rG"), (3, "ry")), make_crossing(2))
    assert unholdable(short, short_plan) == ["J: cycle 26 s (a controller holds 30-255 s)"]


def test_an_actuated_program_bounds_its_greens_only() -> None:
    rows = actuated(make_program((20, "Gr"), (3, "yr"), (30, "rG"), (3, "ry"))).intervals
    assert [(row.min_s, row.max_s) for row in rows] == [(5.0, 50.0), (None, None)] * 2


def test_a_safe_program_keeps_the_cycle_and_pays_with_green() -> None:
    safe = safe_program(make_program((10, "Gr"), (3, "yr"), (30, "rG"), (3, "ry")))
    assert [(row.duration_s, row.lamps) for row in safe.intervals] == [
        (9.0, "Gr"),
        (3.0, "yr"),
        (2.0, "rr"),
        (27.0, "rG"),
        (3.0, "ry"),
        (2.0, "rr"),
    ]


@settings(max_examples=200, deadline=None)
@given(program=programs())
def test_a_safe_program_gives_every_lost_green_three_seconds_of_yellow_and_two_of_red(program: Program) -> None:
    safe = safe_program(program)
    rows = safe.intervals
    greens = [row for row in rows if is_stage(row.lamps) and row.min_s is not None]
    assert all(row.duration_s >= 5.0 for row in greens)
    changes_s = safe.cycle_s - sum(row.duration_s for row in greens)
    assert safe.cycle_s == pytest.approx(max(program.cycle_s, 5.0 * len(greens) + changes_s))
    for place, row in enumerate(rows):
        after = rows[(place + 1) % len(rows)]
        for link, letter in enumerate(row.lamps):
            if letter in GREEN_LETTERS and after.lamps[link] == "y":
                assert after.duration_s >= 3.0


@given(lengths=st.lists(st.floats(1, 90), min_size=1, max_size=8), total_s=st.integers(60, 240))
def test_pro_rata_shares_sum_up_and_keep_the_least(lengths: list[float], total_s: int) -> None:
    shares = pro_rata(lengths, float(total_s), 5.0)
    assert sum(shares) == pytest.approx(total_s)
    assert min(shares) >= 5.0
