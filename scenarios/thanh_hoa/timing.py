"""Installed signals of the schematic, and its OLD PLAN: Webster's, on the historic counts.

Saturation flow: 1,700 MCU/h per metre of width (assumed; the README tells what SUMO discharges here).
Equal degrees of saturation at the critical lane groups, pedestrian walk and clearance served in full,
one common cycle: Webster's of the busiest junction, rounded up to 5 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from math import ceil

from layout import CLASSES, LANE_M, LEGS, MCU, PLACES, SPEED_MPS, TIMINGS
from roads import approach, exit_link, lane_turns, n_lanes, turns

from traffic.ids import JunctionId, MovementId, PhaseNumber
from traffic.network import movement_id
from traffic.signals import Junction, Overlap, Pattern, Phase, Plan, Split, SplitPlan

SAT_FLOW_MCU_H_M = 1700.0
YIELDING_FACTOR = 0.85
WALK_S, WALK_SPEED_MPS = 7, 1.2
REACTION_S, DECEL_MPS2, VEHICLE_M = 1.0, 3.05, 6.1
MIN_CYCLE_S, MAX_CYCLE_S = 80, 120
PROGRESSION_MPS = 10.0
PATTERN = 1

Counts = Mapping[tuple[MovementId, str], list[float]]


def installed(name: str, link_turns: Mapping[int, tuple[str, str]], path_m: float) -> Junction:
    """Return what is installed at one junction; conflicts are left to the network."""
    timing = TIMINGS[name]
    ring_of = {number: ring for ring, members in enumerate(timing.rings, start=1) for number in members}
    phases = tuple(_phase(name, number, ring_of[number], path_m) for number in sorted(timing.serves))
    return Junction(
        id=JunctionId(name),
        n_links=1 + max(link_turns),
        phases=phases,
        rings=tuple(tuple(map(PhaseNumber, ring)) for ring in timing.rings),
        barriers=tuple(frozenset(map(PhaseNumber, group)) for group in timing.barriers),
        overlaps=_overlaps(name, link_turns),
        coordinated=PhaseNumber(timing.coordinated),
    )


def _phase(name: str, number: int, ring: int, path_m: float) -> Phase:
    timing = TIMINGS[name]
    others = {other for group in timing.barriers if number in group for other in group}
    concurrent = others - set(timing.rings[ring - 1])
    walked = [leg for leg, served in timing.serves[number].items() if "s" in served and _is_through(name, number)]
    crossed_m = max((_crossed_m(name, leg) for leg in walked), default=0.0)
    return Phase(
        number=PhaseNumber(number),
        ring=ring,
        concurrency=frozenset(map(PhaseNumber, concurrent)),
        min_green_s=10 if walked else 6,
        walk_s=WALK_S if walked else 0,
        ped_clear_s=ceil(crossed_m / WALK_SPEED_MPS),
        yellow_ds=10 * ceil(REACTION_S + SPEED_MPS / (2 * DECEL_MPS2)),
        red_clear_ds=10 * ceil((path_m + VEHICLE_M) / SPEED_MPS),
    )


def _is_through(name: str, number: int) -> bool:
    """Whether pedestrians walk beside this phase: some approach has its right and straight turns, no protected left."""
    served = TIMINGS[name].serves[number]
    return any("s" in t and (("r" in t) or "l" not in t) for t in served.values())


def _crossed_m(name: str, leg: str) -> float:
    """Return the widest carriageway that pedestrians cross while `leg` moves: the legs at its sides."""
    sides = [side for side in ("ew" if leg in "ns" else "ns") if side in LEGS[name]]
    return max((2 * LANE_M * n_lanes(name, LEGS[name][side]) for side in sides), default=0.0)


def _overlaps(name: str, link_turns: Mapping[int, tuple[str, str]]) -> tuple[Overlap, ...]:
    timing = TIMINGS[name]
    drivers: dict[int, tuple[frozenset[PhaseNumber], frozenset[PhaseNumber]]] = {}
    for index, (leg, turn) in link_turns.items():
        greens = {number for number, served in timing.serves.items() if turn in served.get(leg, "")}
        yields = {number for number in greens if (number, leg, turn) in timing.yields}
        drivers[index] = (frozenset(map(PhaseNumber, greens - yields)), frozenset(map(PhaseNumber, yields)))

    def order(index: int) -> tuple[list[int], list[int]]:
        return sorted(drivers[index][0]), sorted(drivers[index][1])

    groups = groupby(sorted(drivers, key=lambda i: (order(i), i)), key=order)
    return tuple(
        Overlap(number=k, link_indices=tuple(links), protected=frozenset(key[0]), permissive=frozenset(key[1]))
        for k, (key, members) in enumerate(groups, start=1)
        for links in [list(members)]
    )


def flow_ratios(name: str, counts: Counts) -> dict[int, float]:
    """Return the critical flow ratio y of each phase: its busiest lane, in MCU, in the busiest quarter of an hour."""
    found = {}
    for number, served in TIMINGS[name].serves.items():
        ratios = [0.0]
        for leg, moved in served.items():
            if _is_served_before(name, number, leg, moved):
                continue
            through = [lane for lane in lane_turns(name, leg) if "l" not in lane and set(lane) & set(moved)]
            for lane in lane_turns(name, leg):
                if set(lane) & set(moved):
                    share = 1.0 if "l" in lane else 1.0 / len(through)
                    load = through[0] if through and "l" not in lane else lane
                    factor = YIELDING_FACTOR if (number, leg, "l") in TIMINGS[name].yields and "l" in lane else 1.0
                    mcu_h = max(_mcu_h(name, leg, load, counts)) * share
                    ratios.append(mcu_h / (SAT_FLOW_MCU_H_M * LANE_M * factor))
        found[number] = max(ratios)
    return found


def _is_served_before(name: str, number: int, leg: str, moved: str) -> bool:
    """Whether all that a leg moves here that is new, left turns aside, is also served by an earlier phase."""
    earlier = "".join(t for n, s in TIMINGS[name].serves.items() if n < number for g, t in s.items() if g == leg)
    return set(moved) <= set(earlier)


def _mcu_h(name: str, leg: str, lane: str, counts: Counts) -> list[float]:
    rows = [
        [MCU[kind] * vph for vph in counts[movement_id(name, approach(name, leg), exit_link(name, to)), kind]]
        for turn, to in turns(name, leg).items()
        if turn in lane
        for kind in CLASSES.values()
    ]
    return [sum(column) for column in zip(*rows, strict=True)]


def critical(name: str, ratios: Mapping[int, float]) -> tuple[float, float]:
    """Return (Y, lost time in s): over barriers, the sum of the largest ring."""
    timing = TIMINGS[name]
    total, n_phases = 0.0, 0
    for group in timing.barriers:
        rings = [[number for number in ring if number in group] for ring in timing.rings]
        best = max(rings, key=lambda ring: sum(ratios[number] for number in ring))
        total += sum(ratios[number] for number in best)
        n_phases += len(best)
    return total, n_phases * 6.0


def common_cycle_s(ratios: Mapping[str, Mapping[int, float]]) -> int:
    """Return Webster's cycle of the busiest junction, (1.5 L + 5) / (1 - Y), rounded up to 5 s, within limits."""
    wanted = 0.0
    for name, by_phase in ratios.items():
        y, lost_s = critical(name, by_phase)
        wanted = max(wanted, (1.5 * lost_s + 5.0) / (1.0 - y) if y < 1.0 else MAX_CYCLE_S)
    return min(max(5 * ceil(wanted / 5), MIN_CYCLE_S), MAX_CYCLE_S)


def splits(junction: Junction, ratios: Mapping[int, float], cycle_s: int) -> dict[int, int]:
    """Return whole-second splits: the cycle among barriers, then among the phases of each ring, by flow ratio."""
    timing = TIMINGS[str(junction.id)]
    least = {int(phase.number): phase.min_split_s for phase in junction.phases}
    lost = {int(phase.number): phase.clearance_ds // 10 for phase in junction.phases}
    needs, floors, losts = [], [], []
    for group in timing.barriers:
        rings = [[number for number in ring if number in group] for ring in timing.rings]
        needs.append(max(sum(ratios[n] for n in ring) for ring in rings))
        floors.append(max(sum(least[n] for n in ring) for ring in rings))
        losts.append(max(sum(lost[n] for n in ring) for ring in rings))
    spans = share_out(cycle_s, needs, floors, losts)
    found: dict[int, int] = {}
    for group, span in zip(timing.barriers, spans, strict=True):
        for ring in timing.rings:
            members = [number for number in ring if number in group]
            rows = ([table[n] for n in members] for table in (least, lost))
            parts = share_out(span, [ratios[n] for n in members], *rows)
            found.update(zip(members, parts, strict=True))
    return found


def share_out(total: int, needs: list[float], floors: list[int], losts: list[int]) -> list[int]:
    """Return whole seconds that sum to `total`, green proportional to `needs`, none below its floor.

    Examples
    --------
    >>> share_out(60, [0.3, 0.1], [10, 10], [5, 5])
    [43, 17]
    """
    free = list(range(len(needs)))
    parts = list(map(float, floors))
    while free:
        room = total - sum(parts[i] for i in range(len(needs)) if i not in free) - sum(losts[i] for i in free)
        weight = sum(needs[i] for i in free) or 1.0
        wish = {i: losts[i] + room * needs[i] / weight for i in free}
        short = [i for i in free if wish[i] < floors[i]]
        if not short:
            for i in free:
                parts[i] = wish[i]
            break
        for i in short:
            parts[i] = float(floors[i])
            free.remove(i)
    whole = [int(part) for part in parts]
    by_rest = sorted(range(len(parts)), key=lambda i: whole[i] - parts[i])
    for i in by_rest[: total - sum(whole)]:
        whole[i] += 1
    return whole


def offsets(cycle_s: int) -> dict[str, int]:
    """Return offsets for a green wave southwards, towards the centre, at 36 km/h; Nguyễn Trãi leads Bưu điện."""
    order = ["bac", "ql47", "buu_dien", "giua", "ql45"]
    found, elapsed = {}, 0.0
    for name, before in zip(order, [None, *order], strict=False):
        if before:
            elapsed += (PLACES[before][0][1] - PLACES[name][0][1]) / PROGRESSION_MPS
        found[name] = round(elapsed) % cycle_s
    found["nguyen_trai"] = (found["buu_dien"] + cycle_s // 2 - 40) % cycle_s
    return found


def old_plan(junction: Junction, counts: Counts, cycle_s: int, offset_s: int) -> Plan:
    """Return the old plan of one junction."""
    parts = splits(junction, flow_ratios(str(junction.id), counts), cycle_s)
    coordinated = {junction.coordinated, *([PhaseNumber(6)] if len(junction.rings) > 1 else [])}
    rows = tuple(
        Split(phase=PhaseNumber(number), split_s=span, is_coordinated=PhaseNumber(number) in coordinated)
        for number, span in sorted(parts.items())
    )
    pattern = Pattern(number=PATTERN, cycle_s=cycle_s, offset_s=offset_s, split=PATTERN)
    return Plan(junction=junction.id, pattern=pattern, split=SplitPlan(number=PATTERN, splits=rows))


def saturation(junction: Junction, plan: Plan, counts: Counts) -> dict[int, float]:
    """Return the degree of saturation x = y C / g of each phase."""
    ratios = flow_ratios(str(junction.id), counts)
    greens = {n: plan.split.split_s(PhaseNumber(n)) - junction.phase(PhaseNumber(n)).clearance_ds / 10 for n in ratios}
    return {n: ratios[n] * plan.pattern.cycle_s / greens[n] for n in ratios}
