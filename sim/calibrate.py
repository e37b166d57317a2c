"""Counts to demand: route flows that explain turning movement counts, near what history says.

::

    minimise  sum_m (A f - c)^2 / max(c, 1)  +  w sum_r (f - p)^2 / max(p, 1)      f >= 0
              movements counted                 routes, prior p

Counts are not demand: at a saturated approach a count is a lower bound (`is_censored`), which binds
only from below; an unknown count takes no part. A part of the movements is held out of the fit, and
the fit is judged on them. Travel times are left out: counts and routes are of the same period.

References
----------
H. J. Van Zuylen, L. G. Willumsen, The most likely trip matrix estimated from traffic counts,
Transportation Research B 14 (1980) 281-293; GEH: see `traffic.counts.geh`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import lsq_linear

from sim.route_files import RouteFlow, expand_flows, write_trips
from traffic.counts import TurnCount, VehicleClass, geh
from traffic.errors import BadInput, BadScenario
from traffic.ids import LinkId, MovementId
from traffic.network import Network

FloatArray = npt.NDArray[np.float64]

HELD_OUT = 0.2
"""Share of the counted movements that takes no part in the fit (design)."""
PRIOR_WEIGHT = 0.3
"""Weight of history against counts, per squared deviation: counts lead, history fills what they leave open.

Tried on thanh_hoa with movements shifted by a log-deviation of 0.25 and Poisson counts: 0.3 to 1 give the least
error on held-out movements (20-23 veh/h from 15 minutes of counts; 0.01 gives 41).
"""
CONSISTENT_GEH = 5.0
MAX_ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class FitLine:
    """One counted movement of one class: what was counted, what the fitted demand gives, veh/h."""

    movement: MovementId
    vehicle_class: VehicleClass
    counted_vph: float
    fitted_vph: float
    is_held_out: bool = False
    is_censored: bool = False

    @property
    def geh(self) -> float:
        """GEH of fitted against counted; 0 where a lower bound is exceeded."""
        if self.is_censored and self.fitted_vph >= self.counted_vph:
            return 0.0
        return geh(self.fitted_vph, self.counted_vph)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Fitted route flows (one period: the mean of the counted ones) and how well they fit."""

    flows: tuple[RouteFlow, ...]
    lines: tuple[FitLine, ...]
    inconsistencies: tuple[str, ...] = ()

    def geh_below_5(self, *, held_out: bool) -> float:
        """Return the share of movements, all classes together, with GEH < 5; NaN where there are none."""
        rows = [row for row in movement_lines(self.lines) if row[3] == held_out]
        good = [geh(fitted, counted) < 5.0 for _, counted, fitted, _ in rows]
        return sum(good) / len(good) if good else float("nan")

    def geh_below_5_of_class(self, *, held_out: bool) -> dict[VehicleClass, float]:
        """Return the share of movements with GEH < 5, class by class: motorcycles would hide the cars."""
        good: dict[VehicleClass, list[bool]] = defaultdict(list)
        for line in self.lines:
            if line.is_held_out == held_out:
                good[line.vehicle_class].append(line.geh < 5.0)
        return {name: sum(row) / len(row) for name, row in good.items()}

    @property
    def total_error(self) -> float:
        """Fitted over counted total, minus 1."""
        counted = sum(row.counted_vph for row in self.lines)
        return sum(row.fitted_vph for row in self.lines) / counted - 1.0 if counted > 0 else float("nan")


def movement_lines(lines: Iterable[FitLine]) -> list[tuple[MovementId, float, float, bool]]:
    """Return (movement, counted, fitted, held out) with all classes together, veh/h."""
    sums: dict[MovementId, list[float]] = defaultdict(lambda: [0.0, 0.0])
    held: dict[MovementId, bool] = {}
    for row in lines:
        sums[row.movement][0] += row.counted_vph
        sums[row.movement][1] += row.fitted_vph
        held[row.movement] = row.is_held_out
    return [(movement, counted, fitted, held[movement]) for movement, (counted, fitted) in sums.items()]


def calibrate(
    network: Network,
    prior: Sequence[RouteFlow],
    counts: Sequence[TurnCount],
    class_of_type: Mapping[str, VehicleClass],
    rng: np.random.Generator,
    *,
    held_out: float = HELD_OUT,
) -> Calibration:
    """Fit route flows to counts.

    Parameters
    ----------
    network
        Where movements and routes run.
    prior
        History: routes, types and flows; the mean over their periods is the prior.
    counts
        Turning movement counts, any number of periods; their mean flow is fitted.
    class_of_type
        Which class a vehicle type counts as; each class is fitted by itself.
    rng
        Chooses what is held out.
    held_out
        Share of movements held out, 0-1.

    Raises
    ------
    BadInput
        If no count is known, or names no movement of the network, or `held_out` is no share.
    BadScenario
        If the prior has no route, or a type without a class.
    """
    if not 0.0 <= held_out < 1.0:
        raise BadInput("calibration: held_out", held_out, "a share, 0 <= share < 1", "choose another share")
    untyped = sorted({flow.vehicle_type for flow in prior} - set(class_of_type))
    if untyped or not prior:
        raise BadScenario("prior demand", untyped or "no route", "every vehicle type needs a class", "mend the demand")
    observed = observed_flows(network, counts)
    movements = sorted({movement for movement, _ in observed})
    kept_out = set(rng.permutation(movements)[: round(held_out * len(movements))].tolist())
    lines: list[FitLine] = []
    flows: list[RouteFlow] = []
    for vehicle_class in dict.fromkeys(class_of_type.values()):
        routes = [flow for flow in prior if class_of_type[flow.vehicle_type] is vehicle_class]
        rows = {m: seen for (m, c), seen in observed.items() if c is vehicle_class}
        if not routes:
            continue
        fitted = _fit(network, routes, {m: seen for m, seen in rows.items() if m not in kept_out})
        through = _use(network, routes, list(rows)) @ fitted
        flows += [replace(flow, flows_vph=(float(vph),)) for flow, vph in zip(routes, fitted, strict=True)]
        lines += [
            FitLine(
                movement=movement,
                vehicle_class=vehicle_class,
                counted_vph=counted,
                fitted_vph=float(vph),
                is_held_out=movement in kept_out,
                is_censored=is_censored,
            )
            for (movement, (counted, is_censored)), vph in zip(rows.items(), through, strict=True)
        ]
    return Calibration(flows=tuple(flows), lines=tuple(lines), inconsistencies=inconsistencies(network, observed))


Observed = Mapping[tuple[MovementId, VehicleClass], tuple[float, bool]]


def observed_flows(network: Network, counts: Iterable[TurnCount]) -> Observed:
    """Return {(movement, class): (mean veh/h, whether it is a lower bound)} of what is known in every period."""
    rows: dict[tuple[MovementId, VehicleClass], list[TurnCount]] = defaultdict(list)
    for row in counts:
        if row.movement in network.movements:
            rows[MovementId(row.movement), row.vehicle_class].append(row)
    known = {
        key: (sum(r.flow_vph or 0.0 for r in seen) / len(seen), any(r.is_censored for r in seen))
        for key, seen in rows.items()
        if all(r.count is not None for r in seen)
    }
    if not known:
        raise BadInput("counts", "no known count of a movement of this network", next_move="check source and period")
    return known


def _use(network: Network, routes: Sequence[RouteFlow], movements: Sequence[MovementId]) -> FloatArray:
    """Return how often each route makes each movement, shape (n_movement, n_route)."""
    place = {(network.movements[m].approach, network.movements[m].exit): row for row, m in enumerate(movements)}
    use = np.zeros((len(movements), len(routes)))
    for column, route in enumerate(routes):
        for step in pairwise(route.links):
            row = place.get((LinkId(step[0]), LinkId(step[1])))
            if row is not None:
                use[row, column] += 1.0
    return use


def _fit(
    network: Network, routes: Sequence[RouteFlow], observed: Mapping[MovementId, tuple[float, bool]]
) -> FloatArray:
    """Return route flows of one class; lower bounds are added to the fit only while they are undercut."""
    prior = np.array([float(np.mean(route.flows_vph)) for route in routes])
    use = _use(network, routes, list(observed))
    counted = np.array([flow for flow, _ in observed.values()])
    is_bound = np.array([flag for _, flag in observed.values()], dtype=bool)
    explained = float((use @ prior)[~is_bound].sum())
    if explained > 0:
        prior = prior * (float(counted[~is_bound].sum()) / explained)
    active = ~is_bound
    flows = prior
    for _ in range(MAX_ROUNDS):
        flows = _least_squares(use[active], counted[active], prior)
        wanted = ~is_bound | (use @ flows < counted - 1e-6)
        if not (wanted & ~active).any():
            break
        active |= wanted
    return flows


def _least_squares(use: FloatArray, counted: FloatArray, prior: FloatArray) -> FloatArray:
    of_counts = 1.0 / np.sqrt(np.maximum(counted, 1.0))
    of_prior = np.sqrt(PRIOR_WEIGHT / np.maximum(prior, 1.0))
    matrix = np.vstack([use * of_counts[:, None], np.diag(of_prior)])
    target = np.concatenate([counted * of_counts, prior * of_prior])
    return np.asarray(lsq_linear(matrix, target, bounds=(0.0, np.inf)).x)


def inconsistencies(network: Network, observed: Observed) -> tuple[str, ...]:
    """Return links between two junctions into which another number was counted than out of it (GEH above 5).

    Only links whose both ends were counted whole; a growing queue explains a part, a bad camera or a
    driveway the rest.
    """
    totals: dict[MovementId, float] = defaultdict(float)
    for (movement, _), (flow, _) in observed.items():
        totals[movement] += flow
    entering: dict[LinkId, list[MovementId]] = defaultdict(list)
    leaving: dict[LinkId, list[MovementId]] = defaultdict(list)
    for m in network.movements.values():
        entering[m.exit].append(m.id)
        leaving[m.approach].append(m.id)
    faults = []
    for link, arrivals in entering.items():
        ends = arrivals, leaving.get(link, [])
        if not ends[1] or not all(m in totals for end in ends for m in end):
            continue
        into, out = (sum(totals[m] for m in end) for end in ends)
        if geh(into, out) > CONSISTENT_GEH:
            faults.append(f"link {link}: {into:.0f} veh/h counted in, {out:.0f} out (GEH {geh(into, out):.1f})")
    return tuple(faults)


def write_demand(path: Path, calibration: Calibration, begin_s: float, end_s: float, rng: np.random.Generator) -> int:
    """Write a route file with the fitted flows from `begin_s` to `end_s`; return the number of vehicles."""
    trips = expand_flows(calibration.flows, begin_s=begin_s, period_s=end_s - begin_s, rng=rng)
    return write_trips(path, trips)
