"""What SUMO says of plans, link by link: the truth against which the queue model is calibrated."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import quoteattr

from ops.bench_core_draws import Design
from ops.bench_core_plans import PlanSet
from ops.plan_runs import town_of
from ops.static_runs import run_static
from sim.demand import seeded_routes
from sim.ensemble import run_many, stderr_progress
from sim.journeys import read_journeys
from sim.launch import launch_of
from sim.measures import measure
from sim.netfile import Program, read_netfile
from sim.programs import programs_of_plans
from sim.safe_xml import elements
from traffic.ids import LinkId
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
    """What a run gave: delay s/veh, and the vehicle seconds lost by link.

    The way over a node counts for the link before it, the wait to be inserted for the link of departure.
    """

    delay_s: float
    link_loss_s: dict[LinkId, float]


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
            programs=programs_of_plans(design.junctions, plan.plans.values()),
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
            if outcome.result is not None:
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
        recorder = folder / "recorder.add.xml"
        target = quoteattr(str(folder / _LINKS))
        text = f'<additional><edgeData id="links" file={target} withInternal="true" excludeEmpty="true"/></additional>'
        recorder.write_text(text, encoding="utf-8")
        routes = seeded_routes(scenario.routes, spec.seed, scenario.begin_s, scenario.end_s, folder)
        what = replace(launch_of(scenario, seed=spec.seed, routes=routes), outputs=(recorder,))
        trips, _ = run_static(what, spec.programs, folder)
        journeys = read_journeys(scenario, town_of(scenario).network, routes=routes)
        rows = [row for element in elements(folder / _LINKS, ("meandata",)) for row in element.iter("edge")]
    lost_s = _by_link(scenario, {row.get("id", ""): float(row.get("timeLoss", "nan")) for row in rows})
    origin = {row.id: row.links[0] for row in journeys.rows}
    for vehicle, waited_s in zip(trips.ids, trips.depart_delay_s.tolist(), strict=True):
        lost_s[origin[vehicle]] = lost_s.get(origin[vehicle], 0.0) + waited_s
    return Truth(delay_s=measure(trips, scenario.begin_s, scenario.end_s).delay_s, link_loss_s=lost_s)


def _by_link(scenario: Scenario, lost_s: Mapping[str, float]) -> dict[LinkId, float]:
    """Return what was lost by link, the edges inside nodes added to the link before them."""
    before = _links_before(scenario.network, scenario.additional)
    found: dict[LinkId, float] = {}
    for edge, seconds in lost_s.items():
        link = before.get(edge, LinkId(edge))
        found[link] = found.get(link, 0.0) + seconds
    return found


@lru_cache(maxsize=2)
def _links_before(network: Path, additional: tuple[Path, ...]) -> dict[str, LinkId]:
    """Return, for every edge inside a node, the link from which it is entered."""
    net = read_netfile(network, additional)
    found: dict[str, LinkId] = {}
    for row in net.connections:
        via = row.via
        while via and not row.from_edge.startswith(":"):
            edge, _, lane = via.rpartition("_")
            found.setdefault(edge, LinkId(row.from_edge))
            via = net.continuation.get((edge, int(lane)), "")
    return found
