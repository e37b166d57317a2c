"""What SUMO says of plans, link by link: the truth against which the queue model is calibrated."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

from ops.bench_core_draws import Design
from ops.bench_core_plans import PlanSet
from ops.bench_loop_runs import Replay, binary
from sim.demand import seeded_routes
from sim.ensemble import run_many, stderr_progress
from sim.launch import TRIPS, launch_of
from sim.measures import measure
from sim.netfile import Program
from sim.programs import program_of_plan, write_programs
from sim.safe_xml import elements
from sim.trips import read_trips
from traffic.scenario import Scenario

_LINKS = "links.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthSpec:
    """One run: static programs, a demand seed (1-99), which is the driver seed, too."""

    scenario: Scenario
    programs: tuple[Program, ...]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a run gave: delay s/veh, and the time lost on each link, ways inside junctions left out, vehicle seconds."""

    delay_s: float
    link_loss_s: dict[str, float]


def truths(
    scenario: Scenario, design: Design, plans: Sequence[PlanSet], seeds: Sequence[int], *, jobs: int | None = None
) -> list[list[Truth]]:
    """Return the truth of every plan on every seed.

    Raises
    ------
    PlantLost, BadScenario
        If a run fails.
    """
    specs = [
        TruthSpec(
            scenario=scenario,
            programs=tuple(program_of_plan(design.junctions[key], row) for key, row in plan.plans.items()),
            seed=seed,
        )
        for plan in plans
        for seed in seeds
    ]
    found: list[Truth] = []
    with stderr_progress() as progress:
        for outcome in run_many(specs, truth, jobs=jobs, progress=progress, title=f"{scenario.name}: SUMO"):
            if outcome.error is not None:
                raise outcome.error
            assert outcome.result is not None
            found.append(outcome.result)
    return [found[k : k + len(seeds)] for k in range(0, len(found), len(seeds))]


def truth(spec: TruthSpec) -> Truth:
    """Run SUMO once and measure.

    Raises
    ------
    PlantLost
        If SUMO fails.
    """
    scenario = spec.scenario
    with tempfile.TemporaryDirectory(prefix="truth-") as name:
        folder = Path(name)
        written = write_programs(folder / "plan.add.xml", spec.programs)
        recorder = folder / "recorder.add.xml"
        target = quoteattr(str(folder / _LINKS))
        text = f'<additional><edgeData id="links" file={target} excludeEmpty="true"/></additional>'
        recorder.write_text(text, encoding="utf-8")
        routes = seeded_routes(scenario.routes, spec.seed, scenario.begin_s, scenario.end_s, folder)
        what = replace(launch_of(scenario, seed=spec.seed, routes=routes, additional=(written,)), outputs=(recorder,))
        binary(Replay(what=what, times_s=(), folder=folder))
        trips = read_trips(folder / TRIPS, scenario.end_s)
        rows = [row for element in elements(folder / _LINKS, ("meandata",)) for row in element.iter("edge")]
    lost_s = {row.get("id", ""): float(row.get("timeLoss", "nan")) for row in rows}
    return Truth(delay_s=measure(trips, scenario.begin_s, scenario.end_s).delay_s, link_loss_s=lost_s)
