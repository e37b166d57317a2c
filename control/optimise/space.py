"""What a search may choose: per junction cycle, offset, splits and, on request, the order of its phases.

::

    wish  --project-->  Times, legal for the guard  --plan_of-->  Plan
    (any numbers)       (cycle, offset, splits, order)            (for SUMO, the driver, the file)

A plan is never repaired after it was run, nor punished for what it breaks: what is not legal is never made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from control.guard import plan_faults
from control.limits import GuardLimits
from control.optimise.orders import orders_of
from control.plan.splits import least_split_s, project_splits, shortest_cycle_s
from traffic.errors import UnsafeCommand
from traffic.ids import JunctionId
from traffic.lamps import Interval, RingState, coordinated_start_ds, cycle_intervals, lamps
from traffic.signals import Junction, Plan, SplitPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """One junction's choice, whole seconds; splits in order of `Junction.phases`, `order` a place in `Site.orders`."""

    cycle_s: int
    offset_s: int
    splits_s: tuple[int, ...]
    order: int = 0


Genome = tuple[Times, ...]
"""One choice for every junction, in order of `Space.sites`."""


class Site:
    """One junction: which times are legal there, and what its lamps show then.

    Parameters
    ----------
    junction
        What is installed, as the guard judges it.
    installed
        Its plan, whose numbers and modes every plan of the search keeps.
    may_reorder
        Whether the order of phases is searched, too; such a plan needs another installation.

    Raises
    ------
    UnsafeCommand
        If no plan at all is legal here.
    """

    def __init__(self, junction: Junction, installed: Plan, limits: GuardLimits, *, may_reorder: bool = False) -> None:
        self.id, self.installed, self.limits = junction.id, installed, limits
        self.orders: tuple[Junction, ...] = (junction,)
        self._shown: dict[int, dict[tuple[RingState, ...], str]] = {}
        self._faults: dict[tuple[int, tuple[int, ...]], tuple[str, ...]] = {}
        self._safe_orders: dict[int, bool] = {}
        self.shortest_s = max(shortest_cycle_s(junction, limits.min_green_s), limits.min_cycle_s)
        self.longest_s = min(limits.max_cycle_s, 255, max(int(limits.max_red_s), self.shortest_s))
        self.orders = self._legal_orders([junction, *(orders_of(junction) if may_reorder else ())])

    @cached_property
    def installed_times(self) -> Times:
        """The installed plan as times; see `faults` for whether they are legal."""
        pattern, phases = self.installed.pattern, self.orders[0].phases
        splits_s = tuple(self.installed.split.split_s(phase.number) for phase in phases)
        return Times(cycle_s=pattern.cycle_s, offset_s=pattern.offset_s, splits_s=splits_s)

    def times_of(self, plan: Plan) -> Times | None:
        """Return a plan's times, moved to the nearest legal splits; None if its cycle is none here."""
        wish_s = [plan.split.split_s(phase.number) for phase in self.orders[0].phases]
        return self.project(wish_s, plan.pattern.cycle_s, plan.pattern.offset_s)

    def project(self, wish_s: Sequence[float], cycle_s: int, offset_s: float = 0.0, order: int = 0) -> Times | None:
        """Return legal times near a wish of splits; None where that cycle has none."""
        junction = self.orders[order]
        least_s = max(self.shortest_s, shortest_cycle_s(junction, self.limits.min_green_s))
        if not least_s <= cycle_s <= max(self.longest_s, self.installed.pattern.cycle_s):
            return None
        wishes = {phase.number: wish for phase, wish in zip(junction.phases, wish_s, strict=True)}
        splits_s = project_splits(junction, wishes, cycle_s, min_green_s=self.limits.min_green_s)
        times = Times(
            cycle_s=cycle_s,
            offset_s=round(offset_s) % cycle_s,
            splits_s=tuple(splits_s[phase.number] for phase in junction.phases),
            order=order,
        )
        return None if self.faults(times) else times

    def faults(self, times: Times) -> tuple[str, ...]:
        """Return what the guard has against times; the offset does not matter.

        In one ring, longer greens cut no clearance short and bring no foes together: where the shortest plan is
        legal, so is every longer one whose reds the cycle bounds.
        """
        is_bounded = self.limits.min_cycle_s <= times.cycle_s <= min(self.longest_s, int(self.limits.max_red_s))
        if is_bounded and self._is_safe_order(times.order) and self._covers_least(times):
            return ()
        key = (times.order, times.splits_s)
        if key not in self._faults:
            plan = self.plan_of(times)
            self._faults[key] = tuple(plan_faults(self.orders[times.order], plan, self.limits))
        return self._faults[key]

    def plan_of(self, times: Times) -> Plan:
        """Return the plan under the installed one's numbers and modes."""
        old = self.installed
        modes = {row.phase: row for row in old.split.splits}
        splits = tuple(
            replace(modes[phase.number], split_s=split_s)
            for phase, split_s in zip(self.orders[times.order].phases, times.splits_s, strict=True)
        )
        pattern = replace(old.pattern, cycle_s=times.cycle_s, offset_s=times.offset_s)
        return Plan(junction=self.id, pattern=pattern, split=SplitPlan(number=old.split.number, splits=splits))

    def intervals(self, times: Times) -> tuple[tuple[Interval, ...], float]:
        """Return the lamps of a cycle, and when in it the coordinated phase turns green, seconds."""
        junction, plan = self.orders[times.order], self.plan_of(times)
        memory = self._shown.setdefault(times.order, {})

        def show(states: Sequence[RingState]) -> str:
            key = tuple(states)
            if key not in memory:
                memory[key] = lamps(junction, states)
            return memory[key]

        return cycle_intervals(junction, plan, show=show), coordinated_start_ds(junction, plan) / 10.0

    def _legal_orders(self, candidates: Sequence[Junction]) -> tuple[Junction, ...]:
        """Return the junctions for which some plan is legal; the first one, what is installed, has to be one."""
        legal: list[Junction] = []
        for junction in candidates:
            self.orders = (junction,)
            shortest_s = max(self.shortest_s, shortest_cycle_s(junction, self.limits.min_green_s))
            splits_s = project_splits(junction, {}, shortest_s, min_green_s=self.limits.min_green_s)
            rows = tuple(splits_s[phase.number] for phase in junction.phases)
            faults = plan_faults(
                junction, self.plan_of(Times(cycle_s=shortest_s, offset_s=0, splits_s=rows)), self.limits
            )
            if faults and not legal:
                next_move = "mend its program or the guard's limits"
                raise UnsafeCommand(f"junction {self.id}: no plan is legal", "; ".join(faults), "", next_move)
            if not faults:
                legal.append(junction)
        return tuple(legal)

    def _least_s(self, order: int) -> tuple[int, ...]:
        return tuple(least_split_s(phase, self.limits.min_green_s) for phase in self.orders[order].phases)

    def _is_safe_order(self, order: int) -> bool:
        """Whether the plan of all least splits is legal, in one ring."""
        if order not in self._safe_orders:
            junction, least_s = self.orders[order], self._least_s(order)
            times = Times(cycle_s=sum(least_s), offset_s=0, splits_s=least_s, order=order)
            limits = replace(self.limits, min_cycle_s=1, max_cycle_s=255)
            is_one_ring = len(junction.rings) == 1 and times.cycle_s <= 255
            self._safe_orders[order] = is_one_ring and not plan_faults(junction, self.plan_of(times), limits)
        return self._safe_orders[order]

    def _covers_least(self, times: Times) -> bool:
        is_whole = sum(times.splits_s) == times.cycle_s and 0 <= times.offset_s < times.cycle_s
        return is_whole and all(s >= low for s, low in zip(times.splits_s, self._least_s(times.order), strict=True))


class Space:
    """All junctions of a network, in the order of the queue model's."""

    def __init__(
        self,
        junctions: Mapping[JunctionId, Junction],
        installed: Mapping[JunctionId, Plan],
        limits: GuardLimits,
        *,
        may_reorder: bool = False,
    ) -> None:
        self.sites = tuple(
            Site(junction, installed[name], limits, may_reorder=may_reorder) for name, junction in junctions.items()
        )
        self.shortest_s = max(site.shortest_s for site in self.sites)
        self.longest_s = max(self.shortest_s, min(site.longest_s for site in self.sites))

    @property
    def installed(self) -> Genome:
        """The installed plans, legal or not."""
        return tuple(site.installed_times for site in self.sites)

    def faults(self, genome: Genome) -> list[str]:
        """Return what the guard has against any of the plans."""
        return [fault for site, times in zip(self.sites, genome, strict=True) for fault in site.faults(times)]

    def genome_of(self, plans: Mapping[JunctionId, Plan]) -> Genome | None:
        """Return plans as a legal genome near them; None where a cycle is none of the site's."""
        rows = [site.times_of(plans[site.id]) for site in self.sites]
        return None if any(row is None for row in rows) else tuple(row for row in rows if row is not None)

    def plans_of(self, genome: Genome) -> dict[JunctionId, Plan]:
        """Return the plans of a genome."""
        return {site.id: site.plan_of(times) for site, times in zip(self.sites, genome, strict=True)}

    def junctions_of(self, genome: Genome) -> dict[JunctionId, Junction]:
        """Return the junctions that a genome is made for: the installed ones, unless phases are in other orders."""
        return {site.id: site.orders[times.order] for site, times in zip(self.sites, genome, strict=True)}

    def with_cycle(self, genome: Genome, cycle_s: int) -> Genome | None:
        """Return a genome on another common cycle, splits and offsets in proportion, half cycles kept half."""
        longest_s = max(times.cycle_s for times in genome)
        rows = []
        for site, times in zip(self.sites, genome, strict=True):
            is_half = 2 * times.cycle_s == longest_s and cycle_s % 2 == 0 and cycle_s // 2 >= site.shortest_s
            own_s = cycle_s // 2 if is_half else cycle_s
            scale = own_s / times.cycle_s
            rows.append(
                site.project([split * scale for split in times.splits_s], own_s, times.offset_s * scale, times.order)
            )
        return None if any(row is None for row in rows) else tuple(row for row in rows if row is not None)
