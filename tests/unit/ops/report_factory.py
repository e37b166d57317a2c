"""A street of signalised four-leg junctions in a row, and a made-up result of a demo on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import atan2, degrees, hypot, nan
from pathlib import Path

import numpy as np

from ops.report_data import (
    DELAY,
    DELAY_LOG,
    DELAY_MCU,
    DELAY_PERSON,
    ApproachRow,
    CandidateRow,
    CountRow,
    DemoResult,
    FitRow,
    JunctionTiming,
    LogRow,
    Measure,
    PushRow,
    PushState,
    RunFacts,
)
from traffic.ids import JunctionId, LaneId, LinkId, PhaseNumber
from traffic.network import (
    Approach,
    Connection,
    Crossing,
    Lane,
    Link,
    Movement,
    Network,
    movement_id,
)
from traffic.signals import Junction, Overlap, Pattern, Phase, Plan, Split, SplitPlan

SPACING_M, LANE_M = 400.0, 3.5
NAMES = ("Ngã tư Bưu điện (Trần Phú × Lê Lợi)", "Trần Phú × Nguyễn Trãi", "Quang Trung × QL45")
TURN = {1: "l", 2: "s", 3: "r"}


def _place(node: str) -> tuple[float, float]:
    name, _, leg = node.partition("_")
    index = int(name[1:])
    dx, dy = {"": (0.0, 0.0), "n": (0.0, 250.0), "s": (0.0, -250.0), "w": (-300.0, 0.0), "e": (300.0, 0.0)}[leg]
    return index * SPACING_M + dx, dy


def _legs(index: int, n: int) -> list[str]:
    """Neighbours of a junction, clockwise from north."""
    west = f"j{index - 1}" if index else f"j{index}_w"
    east = f"j{index + 1}" if index + 1 < n else f"j{index}_e"
    return [f"j{index}_n", east, f"j{index}_s", west]


def _link(start: str, end: str) -> tuple[Link, list[Lane]]:
    (xa, ya), (xb, yb) = _place(start), _place(end)
    length = hypot(xb - xa, yb - ya)
    ux, uy = (xb - xa) / length, (yb - ya) / length
    name, lanes = LinkId(f"{start}>{end}"), []
    for lane in range(2):
        right = LANE_M * (1.5 - lane)
        ends = [(x + 10 * s * ux + right * uy, y + 10 * s * uy - right * ux) for x, y, s in ((xa, ya, 1), (xb, yb, -1))]
        lanes.append(
            Lane(
                id=LaneId(f"{name}_{lane}"), link=name, index=lane, length_m=length - 20, speed_mps=13.9,
                width_m=LANE_M, shape=tuple(ends),
            )
        )  # fmt: skip
    link = Link(
        id=name, from_node=start, to_node=end, lanes=tuple(lane.id for lane in lanes), length_m=length - 20,
        speed_mps=13.9, name="Trần Phú" if ya == yb else "Lê Lợi", shape=lanes[0].shape,
    )  # fmt: skip
    return link, lanes


def make_street(n: int = 3) -> Network:
    """n junctions from west to east, 12 link indices each: per leg (from north, clockwise) left, straight, right."""
    links: dict[LinkId, Link] = {}
    lanes: dict[LaneId, Lane] = {}
    connections: list[Connection] = []
    movements: dict[object, Movement] = {}
    crossings: dict[JunctionId, Crossing] = {}
    for index in range(n):
        for leg in _legs(index, n):
            for start, end in ((leg, f"j{index}"), (f"j{index}", leg)):
                link, its_lanes = _link(start, end)
                links[link.id] = link
                lanes |= {lane.id: lane for lane in its_lanes}
    for index in range(n):
        junction, legs, approaches = JunctionId(f"j{index}"), _legs(index, n), []
        for k, leg in enumerate(legs):
            arrives, made = LinkId(f"{leg}>{junction}"), []
            for turn, direction in TURN.items():
                leaves = LinkId(f"{junction}>{legs[(k + turn) % 4]}")
                number = 3 * k + turn - 1
                from_lane, to_lane = links[arrives].lanes[-1 if turn == 1 else 0], links[leaves].lanes[0]
                connections.append(
                    Connection(
                        from_lane=from_lane, to_lane=to_lane, from_link=arrives, to_link=leaves, direction=direction,
                        length_m=20.0, speed_mps=10.0, junction=junction, link_index=number,
                    )
                )  # fmt: skip
                name = movement_id(junction, arrives, leaves)
                movements[name] = Movement(
                    id=name, junction=junction, approach=arrives, exit=leaves, direction=direction,
                    connections=(len(connections) - 1,), link_indices=(number,),
                )  # fmt: skip
                made.append(name)
            (xa, ya), (xb, yb) = _place(leg), _place(junction)
            bearing = degrees(atan2(xb - xa, yb - ya)) % 360.0
            approaches.append(
                Approach(
                    junction=junction, link=arrives, lanes=links[arrives].lanes, movements=tuple(made),
                    bearing_deg=bearing,
                )
            )  # fmt: skip
        crossings[junction] = Crossing(
            id=junction, nodes=(junction,), position=_place(junction), n_links=12, approaches=tuple(approaches),
            conflicts=frozenset({(1, 4)}), permissive=frozenset(), name=NAMES[index] if index < len(NAMES) else "",
        )  # fmt: skip
    return Network(
        links=links, lanes=lanes, connections=tuple(connections), crossings=crossings, movements=movements,  # type: ignore[arg-type]
    )  # fmt: skip


def phases(*numbers: int) -> frozenset[PhaseNumber]:
    return frozenset(map(PhaseNumber, numbers))


def make_dual_ring(network: Network, junction: str) -> Junction:
    """NEMA's eight: 1 and 5 the lefts from east and west, 2 and 6 the rest of the corridor, 3 4 7 8 across it."""
    crossing = network.crossings[JunctionId(junction)]
    # Link indices: north 0-2, east 3-5, south 6-8, west 9-11; each left, straight, right.
    driven = {1: (3,), 5: (9,), 6: (4, 5), 2: (10, 11), 3: (0,), 7: (6,), 8: (1, 2), 4: (7, 8)}
    made = tuple(
        Phase(
            number=PhaseNumber(n), ring=1 if n < 5 else 2, min_green_s=6, walk_s=0 if n % 2 else 7,
            ped_clear_s=0 if n % 2 else 8, concurrency=phases(*((5, 6) if n in (1, 2) else (7, 8))),
        )
        for n in range(1, 9)
    )  # fmt: skip
    overlaps = tuple(Overlap(number=n, link_indices=driven[n], protected=phases(n)) for n in range(1, 9))
    return Junction(
        id=JunctionId(junction), n_links=12, phases=made,
        rings=((PhaseNumber(1), PhaseNumber(2), PhaseNumber(3), PhaseNumber(4)),
               (PhaseNumber(5), PhaseNumber(6), PhaseNumber(7), PhaseNumber(8))),
        barriers=(phases(1, 2, 5, 6), phases(3, 4, 7, 8)), overlaps=overlaps, coordinated=PhaseNumber(2),
        conflicts=crossing.conflicts,
    )  # fmt: skip


def make_plan(junction: Junction, cycle_s: int, offset_s: int, lefts_s: int = 14, cross_s: int = 38) -> Plan:
    """The corridor gets what is left of the cycle after the cross street's barrier group."""
    main = cycle_s - cross_s
    share = {1: lefts_s, 2: main - lefts_s, 5: lefts_s + 2, 6: main - lefts_s - 2, 3: 14, 4: cross_s - 14,
             7: 15, 8: cross_s - 15}  # fmt: skip
    splits = tuple(Split(phase=PhaseNumber(n), split_s=s, is_coordinated=n == 2) for n, s in sorted(share.items()))
    pattern = Pattern(number=1, cycle_s=cycle_s, offset_s=offset_s, split=1)
    return Plan(junction=junction.id, pattern=pattern, split=SplitPlan(number=1, splits=splits))


def make_timings(network: Network) -> tuple[JunctionTiming, ...]:
    """The old plan of the last junction is kept."""
    rows = []
    for index, name in enumerate(network.crossings):
        junction = make_dual_ring(network, name)
        new = make_plan(junction, 90, 29 * index % 90, lefts_s=15)
        rows.append(JunctionTiming(junction=junction, old=make_plan(junction, 90, 0), new=new))
    rows[-1] = replace(rows[-1], new=None)
    return tuple(rows)


def make_facts(network_file: Path = Path("street.net.xml"), n_seeds: int = 6) -> RunFacts:
    return RunFacts(
        scenario="street",
        title="Trục phố thử nghiệm (sample street)",
        is_schematic=True,
        network_file=network_file,
        begin_s=25200.0 + 600.0,
        end_s=25200.0 + 2400.0,
        seeds=tuple(range(100, 100 + n_seeds)),
        twin_seeds=(1, 2, 3, 4),
        command="python3 run.py demo",
        commit="0123abc",
        started="2026-11-24 09:00:00+00:00",
        wall_s=312.4,
        versions=(("SUMO", "1.28.0"),),
        settings=(("step_s", "0.5"), ("cameras", "3 % missed, 2 % doubled")),
    )


def make_result(network: Network, timings: tuple[JunctionTiming, ...], facts: RunFacts, seed: int = 1) -> DemoResult:
    """Made-up numbers of a believable size, some of them unknown."""
    rng = np.random.default_rng(seed)
    base = rng.normal(62.0, 4.0, len(facts.seeds))
    gain = rng.normal(-7.0, 2.0, len(facts.seeds))
    scales: Mapping[str, tuple[float, float]] = {
        DELAY: (1.0, 1.0), DELAY_LOG: (0.34, 0.3), DELAY_PERSON: (1.05, 1.0), DELAY_MCU: (1.1, 0.9),
        "trip_time_s": (3.1, 1.0), "wait_s": (0.7, 0.8), "stops": (0.03, 0.02), "queue_veh": (1.6, 1.1),
        "arrived": (50.0, -2.0), "not_departed": (0.0, 0.0), "teleports": (0.0, 0.0),
    }  # fmt: skip
    measures = tuple(
        Measure(key=key, before=tuple(a * base), after=tuple(a * base + b * gain + 0.02 * rng.normal(size=len(base))))
        for key, (a, b) in scales.items()
    )
    kept = rng.normal(60.0, 3.0, len(facts.twin_seeds))
    return DemoResult(
        facts=facts,
        network=network,
        timings=timings,
        measures=(*measures, Measure(key="collisions", before=(nan,) * len(base), after=(nan,) * len(base))),
        approaches=_approach_rows(network, rng),
        candidates=(
            CandidateRow(name="keep", why="Webster on the historic counts", delays_s=tuple(kept)),
            CandidateRow(
                name="webster", why="Webster on the counted flows", delays_s=tuple(kept - rng.normal(2, 2, 4))
            ),
            CandidateRow(
                name="webster+offsets", why="same splits, offsets for the corridor",
                delays_s=tuple(kept - rng.normal(8, 1.5, 4)), is_chosen=True,
            ),
            CandidateRow(name="short cycle", why="60 s", refused="junction j1, phase 2: split 14 s (least 20 s)"),
        ),
        choice_reason="predicted change of delay −12.9 % (95 % interval −18.1 to −7.7)",
        counts=_count_rows(network, rng),
        fit=tuple(
            FitRow(
                movement=name, counted_vph=float(flow), fitted_vph=float(flow * rng.normal(1.0, 0.1)),
                is_held_out=index % 5 == 0,
            )
            for index, (name, flow) in enumerate(zip(network.movements, rng.uniform(40, 900, 999), strict=False))
        ),
        pushes=_push_rows(timings, facts),
        log=tuple(
            LogRow(time_s=facts.begin_s + dt, seed=s, kind=kind, text=text, junction=timings[0].junction.id)
            for s in facts.seeds[:2]
            for dt, kind, text in ((-300.0, "lease", "taken, 120 s"), (-240.0, "lease", "renewed"),
                                   (1800.0, "release", "handed back to the local plan"))
        ),
        corridor=tuple(network.crossings),
        speed_mps=11.0,
    )  # fmt: skip


def _approach_rows(network: Network, rng: np.random.Generator) -> tuple[ApproachRow, ...]:
    rows = []
    for crossing in network.crossings.values():
        for approach in crossing.approaches:
            delay = float(rng.gamma(3.0, 14.0))
            after = delay * float(rng.normal(0.85, 0.15))
            rows.append(
                ApproachRow(
                    junction=crossing.id, approach=approach.link, delay_before_s=delay, delay_after_s=after,
                    queue_before_m=delay * 2, queue_after_m=after * 2,
                )
            )  # fmt: skip
    rows[1] = replace(rows[1], delay_before_s=nan, delay_after_s=nan, queue_before_m=nan, queue_after_m=nan)
    return tuple(rows)


def _count_rows(network: Network, rng: np.random.Generator) -> tuple[CountRow, ...]:
    rows = []
    for index, movement in enumerate(network.movements.values()):
        true = float(round(rng.gamma(1.5, 90.0)))
        rows.append(
            CountRow(
                junction=movement.junction, movement=movement.id, period_s=1800.0,
                historic_veh=float(round(true * rng.uniform(0.6, 1.3))),
                counted_veh=None if index == 4 else float(round(true * rng.normal(0.98, 0.05))), true_veh=true,
                is_censored=index == 7,
            )
        )  # fmt: skip
    return tuple(rows)


def _push_rows(timings: tuple[JunctionTiming, ...], facts: RunFacts) -> tuple[PushRow, ...]:
    rows = [
        PushRow(
            time_s=facts.begin_s - 250.0 + 7.3 * place, seed=seed, junction=timing.junction.id, pattern=31,
            state=PushState.CONFIRMED, is_readback_equal=True,
        )
        for seed in facts.seeds
        for place, timing in enumerate(timings)
        if timing.new
    ]  # fmt: skip
    refused = PushRow(
        time_s=facts.begin_s - 260.0, seed=facts.seeds[0], junction=timings[0].junction.id, pattern=31,
        state=PushState.REFUSED, reason="plan change in transition (wait for the third cycle)",
    )  # fmt: skip
    return (*rows, refused)
