"""How far the queue model is from SUMO, and the search for parameters that bring it nearer.

::

    parameters of all drivers      CMA-ES on the misfit of delays, plan by plan, and of lost time, link by link
    headways of each link          longer where SUMO loses more there, shorter where less, step by step
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import cma
import numpy as np
from rich.progress import Progress, TaskID

from control.queue_model import QueueModel
from control.queue_physics import Physics
from ops.bench_core_plans import Kind, PlanSet
from ops.bench_core_statistics import FloatArray, spearman
from traffic.ids import LinkId

RANGES = {
    "reaction_s": (0.05, 0.8),
    "first_gap_s": (0.0, 1.5),
    "start_up_s": (0.0, 2.0),
    "gap_scale": (0.3, 2.0),
    "patience_s": (40.0, 400.0),
    "rolling_gap": (0.3, 1.0),
    "yellow_s": (0.0, 3.5),
    "acceleration_loss": (0.3, 2.5),
    "wrong_lane_veh": (0.0, 8.0),
    "side_step_veh": (0.0, 3.0),
    "noise": (0.0, 0.3),
    "merge_s": (0.5, 2.0),
    "insertion": (0.5, 1.6),
    "jam_s": (0.8, 2.0),
    "minor_mps": (2.0, 14.0),
    "crossing": (0.0, 1.5),
}
"""What is fitted for all drivers, and within which bounds."""
FACTORS = (0.75, 1.35)
"""Bounds of a link's factor on headways."""
N_REPLICAS, POPULATION = 2, 14
LEAST_SHARE = 0.02
"""Links with a smaller share of the lost time keep a factor of 1."""
NEAR_WEIGHT = 3.0
"""How much more the plans near the default count in fitting a link."""


class Misfit(NamedTuple):
    """How the core differs from SUMO over all plans; `bias` and the spreads are of ln(core / SUMO).

    `links` is the sum over links of |core - SUMO| as a share of SUMO's lost time, the mean over all plans; the ranks
    are Spearman's.
    """

    bias: float
    spread: float
    spread_near_default: float
    links: float
    links_near_default: float
    rho: float
    rho_near_default: float

    @property
    def value(self) -> float:
        """What is minimised: plans near the default differ by little, so that their spread counts most."""
        delays = 0.3 * self.bias**2 + self.spread**2 + 4.0 * self.spread_near_default**2
        ranks = 0.02 * (1.0 - self.rho) + 0.01 * (1.0 - self.rho_near_default)
        return delays + 0.05 * (self.links + self.links_near_default) + ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is fitted: plans, one model a demand seed, and SUMO's word.

    Attributes
    ----------
    delay_s
        SUMO's delay, mean over seeds, shape (n_plan,).
    links, link_loss_s
        Links, and SUMO's lost time on them, mean over seeds, shape (n_plan, n_link).
    """

    plans: Sequence[PlanSet]
    models: Sequence[QueueModel]
    delay_s: FloatArray
    links: Sequence[LinkId]
    link_loss_s: FloatArray

    @property
    def is_near(self) -> FloatArray:
        """Which plans are near the default."""
        return np.array([row.kind is Kind.NEAR_DEFAULT for row in self.plans])

    def run(self, physics: Physics) -> tuple[FloatArray, FloatArray]:
        """Return the core's delay (n_plan,) and lost time by link (n_plan, n_link), means over seeds."""
        place = {link: number for number, link in enumerate(self.links)}
        delay_s, lost_s = np.zeros(len(self.plans)), np.zeros_like(self.link_loss_s)
        for model in self.models:
            outcome = model.with_physics(physics).run([row.plans for row in self.plans], n_replicas=N_REPLICAS)
            delay_s += outcome.delay_s.mean(axis=1) / len(self.models)
            by_lane = outcome.lane_loss_s.mean(axis=1) / len(self.models)
            for lane, link in enumerate(model.compiled.lane_links):
                if link in place:
                    lost_s[:, place[link]] += by_lane[:, lane]
        return delay_s, lost_s

    def misfit(self, physics: Physics) -> Misfit:
        """Return how far the core is from SUMO under these parameters."""
        return self.misfit_of(*self.run(physics))

    def misfit_of(self, delay_s: FloatArray, lost_s: FloatArray) -> Misfit:
        """Return how far delays and lost times are from SUMO's."""
        near, ratio = self.is_near, np.log(np.maximum(delay_s, 1e-3) / np.maximum(self.delay_s, 1e-3))
        by_plan = np.abs(lost_s - self.link_loss_s).sum(axis=1) / np.maximum(1.0, self.link_loss_s.sum(axis=1))
        return Misfit(
            bias=float(ratio.mean()),
            spread=float(ratio.std()),
            spread_near_default=float(ratio[near].std()),
            links=float(by_plan.mean()),
            links_near_default=float(by_plan[near].mean()),
            rho=spearman(delay_s, self.delay_s),
            rho_near_default=spearman(delay_s[near], self.delay_s[near]),
        )


def search(
    case: Case, start: Physics, evaluations: int, *, step: float, seed: int, progress: tuple[Progress, TaskID]
) -> Iterator[Physics]:
    """Yield better and better parameters of all drivers, `start` first; a link's factors stay.

    References
    ----------
    N. Hansen, The CMA Evolution Strategy: A Tutorial, 2016.
    """
    origin = to_unit(start)
    least = case.misfit(start).value
    yield start
    options = {"bounds": [0.0, 1.0], "seed": seed, "verbose": -9, "maxfevals": evaluations, "popsize": POPULATION}
    strategy = cma.CMAEvolutionStrategy(origin, step, options)
    while not strategy.stop():
        points, values = strategy.ask(), []
        for point in points:
            physics = from_unit(point, start)
            value = case.misfit(physics).value
            values.append(value + 1e-4 * float(np.sum((np.asarray(point) - origin) ** 2)))
            if value < least:
                least = value
                yield physics
            progress[0].advance(progress[1])
        strategy.tell(points, values)


def fit_links(
    case: Case, start: Physics, rounds: int, *, gain: float, progress: tuple[Progress, TaskID]
) -> Iterator[Physics]:
    """Yield better and better headways of links: each moves by (SUMO's lost time / the core's) to the power `gain`."""
    weights = np.where(case.is_near, NEAR_WEIGHT, 1.0)[:, None] / np.maximum(1.0, case.link_loss_s.sum(axis=1))[:, None]
    sumo = (case.link_loss_s * weights).sum(axis=0)
    factors, least = dict(start.headway_factor), np.inf
    for _ in range(rounds):
        physics = replace(start, headway_factor=dict(factors))
        delay_s, lost_s = case.run(physics)
        value = case.misfit_of(delay_s, lost_s).value
        if value < least:
            least = value
            yield physics
        core = (lost_s * weights).sum(axis=0)
        for place in np.flatnonzero(np.maximum(sumo, core) > LEAST_SHARE * sumo.sum()).tolist():
            factor = factors.get(case.links[place], 1.0) * ((sumo[place] + 1e-9) / (core[place] + 1e-9)) ** gain
            factors[case.links[place]] = round(float(np.clip(factor, *FACTORS)), 4)
        progress[0].advance(progress[1])


def to_unit(physics: Physics) -> FloatArray:
    """Return the parameters as places within their ranges, 0-1."""
    return np.array([(getattr(physics, name) - low) / (high - low) for name, (low, high) in RANGES.items()])


def from_unit(point: Sequence[float], like: Physics) -> Physics:
    """Return `like` with the parameters at these places within their ranges."""
    values = {
        name: round(low + (high - low) * float(x), 4)
        for (name, (low, high)), x in zip(RANGES.items(), point, strict=True)
    }
    return replace(like, **values)  # type: ignore[arg-type]
