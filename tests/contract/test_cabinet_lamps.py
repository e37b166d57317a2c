"""A controller that runs a plan shows what the plan says, tenth by tenth, for ever."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from control.drivers.cabinet import CabinetSettings, VirtualController
from control.drivers.cabinet_plan import free_reason, rounded
from control.drivers.tables_rows import all_day
from tests.contract.signal_strategies import dual_rings, plans, single_rings
from traffic.ids import JunctionId, PhaseNumber
from traffic.lamps import Interval, coordinated_start_ds, cycle_intervals
from traffic.signals import Junction, Overlap, Pattern, Phase, Plan, Recall, Split, SplitPlan

LAST_START_DS = 800_000


def lamps_at(intervals: tuple[Interval, ...], position_ds: int) -> str:
    for interval in intervals:
        if position_ds < interval.duration_ds:
            return interval.lamps
        position_ds -= interval.duration_ds
    raise AssertionError("beyond the cycle")


def planned(junction: Junction, plan: Plan, time_ds: int) -> str:
    position = time_ds - plan.pattern.offset_s * 10 + coordinated_start_ds(junction, plan)
    return lamps_at(cycle_intervals(junction, plan), position % (plan.pattern.cycle_s * 10))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_lamps_equal_the_plan_from_the_first_tick_on(data: st.DataObject) -> None:
    installed = data.draw(single_rings() | dual_rings())
    step_ds = data.draw(st.sampled_from([1, 5, 10]))
    junction = rounded(installed, step_ds)
    plan = data.draw(plans(junction))
    assume(free_reason(junction, plan) is None)
    start_ds = data.draw(st.integers(0, LAST_START_DS // 10)) * 10
    controller = VirtualController(
        installed, all_day([plan]), CabinetSettings(start_ds=start_ds, step_ds=step_ds, has_monitor=False)
    )
    cycle_ds = plan.pattern.cycle_s * 10
    ticks = range(start_ds, start_ds + 2 * cycle_ds + 10 * step_ds, step_ds)
    shown = [controller.tick(time_ds, {}) for time_ds in ticks]
    assert shown == [planned(junction, plan, time_ds) for time_ds in ticks]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_new_pattern_is_shown_exactly_once_the_offset_is_reached(data: st.DataObject) -> None:
    junction = data.draw(single_rings(max_phases=6) | dual_rings())
    before = data.draw(plans(junction, number=1))
    after = data.draw(plans(junction, number=2))
    assume(free_reason(junction, before) is None and free_reason(junction, after) is None)
    controller = VirtualController(
        junction, all_day([before, after]), CabinetSettings(start_ds=300_000, step_ds=5, has_monitor=False)
    )
    controller.tick(300_000 + 5 * data.draw(st.integers(0, 500)), {})
    controller.unit.pattern_control = after.pattern.number
    controller.tables.committed()
    time_ds, cycle_ds = controller.unit.now_ds, after.pattern.cycle_s * 10
    until_ds = time_ds + 12 * cycle_ds
    controller.tick(until_ds, {})
    ticks = range(until_ds + 5, until_ds + cycle_ds + 5, 5)
    shown = [controller.tick(t, {}) for t in ticks]
    assert shown == [planned(junction, after, t) for t in ticks]


def test_a_green_late_by_a_whole_window_does_not_stay_late() -> None:
    """Splits of 1 and 29 s: as the offset moves by 1 s, phase 8 runs over all of phase 6's window."""
    numbers = [PhaseNumber(n) for n in (2, 4, 6, 8)]
    timing = {"walk_s": 0, "ped_clear_s": 0, "passage_ds": 30, "max1_s": 50, "max2_s": 50, "red_clear_ds": 0}
    junction = Junction(
        id=JunctionId("late"),
        n_links=4,
        phases=tuple(
            Phase(number=n, ring=1 + (n > 4), min_green_s=1, yellow_ds=30 * (n == 4), recall=Recall.MAXIMUM, **timing)
            for n in numbers
        ),
        rings=((numbers[0], numbers[1]), (numbers[2], numbers[3])),
        barriers=(frozenset({numbers[0], numbers[2]}), frozenset({numbers[1], numbers[3]})),
        overlaps=tuple(Overlap(number=n, link_indices=(i,), protected=frozenset({n})) for i, n in enumerate(numbers)),
        coordinated=numbers[0],
    )
    before, after = (
        Plan(
            junction=junction.id,
            pattern=Pattern(number=number, cycle_s=30, offset_s=offset_s, split=number),
            split=SplitPlan(
                number=number,
                splits=tuple(Split(phase=n, split_s=1 if n in (2, 6) else 29, is_coordinated=n == 2) for n in numbers),
            ),
        )
        for number, offset_s in ((1, 1), (2, 0))
    )
    controller = VirtualController(
        junction, all_day([before, after]), CabinetSettings(start_ds=300_000, step_ds=5, has_monitor=False)
    )
    controller.tick(300_000, {})
    controller.unit.pattern_control = after.pattern.number
    controller.tables.committed()
    controller.tick(303_000, {})
    ticks = range(303_005, 303_305, 5)
    assert [controller.tick(t, {}) for t in ticks] == [planned(junction, after, t) for t in ticks]
