"""Plans that a policy by stages would have: how long it shows each stage, as shares of a cycle.

::

    believed streets --the policy drives them for minutes, in the core--> green by stage --> splits on any cycle

The policy knows no plan; what it does when it is let free says how much time each stage is worth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from control.core.ahead import share_greens
from control.core.arrays import NETWORK, Roads, State, make_state
from control.optimise.space import Genome, Space
from control.policy_runs import Weights
from control.policy_table import Flows, compile_sight, with_zones
from control.queue_stages import StageClock
from control.state_estimate import Streets
from traffic.ids import PhaseNumber
from traffic.ports import Plant
from traffic.signals import GREEN_LETTERS, Junction
from traffic.snapshot import FloatArray
from traffic.zones import Zones


class Proposer:
    """Turns what a policy does in the core into plans.

    Parameters
    ----------
    learned
        Weights of the universal policy, and the detector zones that it reads.
    plant
        Roads and stages.
    clock
        Of its stages.
    flows
        Flows of other days from link to link, veh/h.
    streets
        The same roads and stages in the core.
    """

    def __init__(
        self, learned: tuple[Weights, Zones], plant: Plant, clock: StageClock, flows: Flows, streets: Streets
    ) -> None:
        weights, zones = learned
        sight = compile_sight(plant.network, plant.stages, flows, clock, zones.zone_length_m)
        sight.weights[:] = weights
        sight = with_zones(sight, plant.network, streets.compiled, zones)
        rules = streets.stages.rules.copy()
        rules["policy"] = NETWORK
        self._shown, self._n_junctions = plant.stages, len(streets.junctions)
        self._stages = streets.stages._replace(sight=sight, rules=rules)
        self._state = make_state(streets.roads, 1)

    def shares(self, draws: Sequence[tuple[Roads, State]], now_s: float, seconds: int) -> FloatArray:
        """Return for how long each stage is green, shape (n_junction, n_stage), seconds; the mean of the draws."""
        most = max((len(row) for row in self._shown.values()), default=1)
        greens = np.zeros((self._n_junctions, most))
        for roads, base in draws:
            share_greens(self._stages, roads, base, self._state, now_s, seconds, greens)
        mean: FloatArray = greens / max(1, len(draws))
        return mean

    def plans(self, greens: FloatArray, space: Space, running: Genome, cycles_s: Sequence[int]) -> list[Genome]:
        """Return legal plans with these greens in proportion, all on one of the cycles, offsets as they run."""
        found: list[Genome] = []
        for cycle_s in cycles_s:
            rows = [
                site.project(split_wishes(site.orders[0], self._shown[site.id], row, cycle_s), cycle_s, times.offset_s)
                for site, row, times in zip(space.sites, greens, running, strict=True)
            ]
            found.append(tuple(row or times for row, times in zip(rows, running, strict=True)))
        return list(dict.fromkeys(found))


def split_wishes(junction: Junction, stages: Sequence[str], green_s: FloatArray, cycle_s: int) -> list[float]:
    """Return splits in the order of a junction's phases: each ring's greens in proportion to those of the stages.

    A phase is green in the stages in which all its links are; where stages show exactly its links, in those alone.
    """
    greens = {phase.number: _green_of(junction, phase.number, stages, green_s) for phase in junction.phases}
    clear_s = {phase.number: (phase.yellow_ds + phase.red_clear_ds) / 10.0 for phase in junction.phases}
    wishes: dict[PhaseNumber, float] = {}
    for ring in junction.rings:
        free_s = max(0.0, cycle_s - sum(clear_s[number] for number in ring))
        total_s = sum(greens[number] for number in ring)
        for number in ring:
            share = greens[number] / total_s if total_s > 0.0 else 1.0 / len(ring)
            wishes[number] = clear_s[number] + share * free_s
    return [wishes[phase.number] for phase in junction.phases]


def _green_of(junction: Junction, number: PhaseNumber, stages: Sequence[str], green_s: FloatArray) -> float:
    own = {
        link
        for overlap in junction.overlaps
        if number in overlap.protected | overlap.permissive
        for link in overlap.link_indices
    }
    shown = [{link for link, letter in enumerate(lamps) if letter in GREEN_LETTERS} for lamps in stages]
    exact = [place for place, links in enumerate(shown) if links == own]
    places = exact or [place for place, links in enumerate(shown) if own and own <= links]
    return float(sum(green_s[place] for place in places))
