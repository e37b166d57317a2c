"""A controller that runs a plan shows what the plan says, tenth by tenth, for ever."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from control.drivers.cabinet import CabinetSettings, VirtualController
from control.drivers.cabinet_plan import free_reason, rounded
from control.drivers.tables_rows import all_day
from tests.contract.signal_strategies import dual_rings, plans, single_rings
from traffic.lamps import Interval, coordinated_start_ds, cycle_intervals
from traffic.signals import Junction, Plan

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
