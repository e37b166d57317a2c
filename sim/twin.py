"""The digital twin: a `Plant` over SUMO that jumps from one change of lamps to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from sim.detectors import ZONE_M, LinkFlows, compile_zones
from sim.heads import Heads, Moment
from sim.launch import Launch, Simulation, launch
from sim.netfile import Program
from sim.programs import Signals, program_of_plan
from sim.protocols import SAFE, Protocol
from sim.zone_reader import Readings, zone_reader
from traffic.decisions import Decision, Extend, Release, Stage
from traffic.errors import UnsafeCommand
from traffic.ids import JunctionId
from traffic.lamps import stages as ring_stages
from traffic.network import Network
from traffic.signals import Junction
from traffic.snapshot import Snapshot
from traffic.zones import Zones


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """What does not change from run to run: roads, signals and detector zones; read once, used by many twins."""

    network: Network
    signals: Signals
    zones: Zones
    stages: Mapping[JunctionId, tuple[str, ...]] = field(default_factory=dict)


def build_town(network: Network, signals: Signals, flows: LinkFlows | None = None, *, zone_m: float = ZONE_M) -> Town:
    """Return the town of a network: `flows` are historic flows from link to link, never those of a run."""
    return Town(
        network=network,
        signals=signals,
        zones=compile_zones(network, flows, zone_m=zone_m),
        stages={name: stages_of(network, junction) for name, junction in signals.junctions.items()},
    )


def stages_of(network: Network, junction: Junction) -> tuple[str, ...]:
    """Return the stages of a junction in which some vehicle has green; where none has, all of them."""
    driven = {row.link_index for row in network.connections if row.junction == junction.id}
    found = ring_stages(junction)
    return tuple(s for s in found if any(s[i] in "Gg" for i in driven if i is not None)) or found


class Twin:
    """SUMO as a `Plant`.

    Parameters
    ----------
    town
        Roads, signals, zones.
    what
        How SUMO is started.
    folder
        Run folder.
    protocol
        How a stage gives way to another.
    is_held
        Whether all junctions wait for decisions from the start; otherwise each runs its own program
        until it is first commanded.
    reads_queue
        Whether snapshots know queues; without, they are NaN and cost less.
    """

    def __init__(
        self,
        town: Town,
        what: Launch,
        folder: Path,
        *,
        protocol: Protocol = SAFE,
        is_held: bool = True,
        reads_queue: bool = True,
    ) -> None:
        self._town = town
        self._simulation: Simulation = launch(what, folder)
        self._begin_s = what.begin_s
        self._heads = {name: _heads(town, name, what, protocol) for name in town.network.crossings}
        self._all_heads = tuple(self._heads.values())
        self._read = zone_reader(self._simulation, town.zones, reads_queue=reads_queue)
        self._set_lamps = self._simulation.call("trafficlight", "setRedYellowGreenState")
        self._seen: tuple[float, Readings] | None = None
        if is_held:
            for heads in self._all_heads:
                heads.start_held(what.begin_s)
                self._set_lamps(heads.junction, heads.lamps)

    @property
    def network(self) -> Network:
        """The roads."""
        return self._town.network

    @property
    def junctions(self) -> Mapping[JunctionId, Junction]:
        """What is installed."""
        return self._town.signals.junctions

    @property
    def stages(self) -> Mapping[JunctionId, Sequence[str]]:
        """The stages that decisions number, lamp strings."""
        return self._town.stages

    @property
    def time_s(self) -> float:
        """SUMO's clock."""
        return self._simulation.time_s

    @property
    def simulation(self) -> Simulation:
        """The running SUMO."""
        return self._simulation

    def snapshot(self) -> Snapshot:
        """Return zone readings and lamps; the lamps are those shown from now on."""
        now_s = self._simulation.time_s
        arriving, queued, leaving = self._readings(now_s)
        shown = [
            self._native(heads, now_s) if heads.is_native else (heads.lamps, heads.stage, heads.green_since_s)
            for heads in self._all_heads
        ]
        lamps, stage, green_since_s = zip(*shown, strict=True)
        return Snapshot(
            time_s=now_s,
            arriving_veh=arriving,
            queued_veh=queued,
            leaving_veh=leaving,
            zone_length_m=self._town.zones.zone_length_m,
            lamps=lamps,
            stage=stage,
            green_since_s=green_since_s,
        )

    def _readings(self, now_s: float) -> Readings:
        """Return arriving, queued and leaving vehicles by movement; asked of SUMO once an instant."""
        if self._seen is None or self._seen[0] != now_s:
            self._seen = (now_s, self._read())
        return self._seen[1]

    def command(self, decisions: Sequence[Decision]) -> None:
        """Obey all decisions, or none.

        Raises
        ------
        UnsafeCommand
            If a junction or stage is not there, or a junction is in a change to another stage.
        """
        for decision in decisions:
            self._check(decision)
        now_s = self._simulation.time_s
        for decision in decisions:
            heads = self._heads[decision.junction]
            if heads.is_native:
                if isinstance(decision, Release):
                    continue
                heads.take_over(now_s)
                self._set_lamps(heads.junction, heads.lamps)
            if isinstance(decision, Stage):
                if heads.stage >= 0:
                    heads.go_to(decision.stage, max(now_s, decision.not_before_s))
                else:
                    heads.hold()
            elif isinstance(decision, Extend):
                heads.hold(decision.until_s)
            elif isinstance(decision, Release):
                heads.play(heads.native, now_s)
            else:
                heads.play(program_of_plan(self.junctions[decision.junction], decision.order.plan), now_s)
            if heads.next_s <= now_s and heads.apply(now_s):
                self._set_lamps(heads.junction, heads.lamps)

    def advance(self, seconds: float) -> None:
        """Move the clock, showing every change of lamps on the way at its time.

        Raises
        ------
        PlantLost
            If SUMO is gone.
        """
        simulation, all_heads = self._simulation, self._all_heads
        until_s = round(simulation.time_s + seconds, 6)
        while True:
            next_s = min(until_s, min([heads.next_s for heads in all_heads], default=until_s))
            simulation.step(next_s)
            for heads in all_heads:
                if heads.next_s <= next_s and heads.apply(next_s):
                    self._set_lamps(heads.junction, heads.lamps)
            if next_s >= until_s:
                return

    def close(self) -> Path:
        """End the run and return the path of its trip records."""
        self._simulation.close()
        return self._simulation.trips

    def __enter__(self) -> Twin:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def history(self) -> dict[JunctionId, list[Moment]]:
        """Return what each junction has shown so far: (from when, lamps), changes only."""
        return {
            name: heads.native_history(self.time_s) if heads.is_native else list(heads.history)
            for name, heads in self._heads.items()
        }

    def _native(self, heads: Heads, now_s: float) -> tuple[str, int, float]:
        interval, end_s = heads.native.interval_at(now_s)
        stage = heads.stages.index(interval.lamps) if interval.lamps in heads.stages else -1
        return interval.lamps, stage, end_s - interval.duration_s if stage >= 0 else end_s

    def _check(self, decision: Decision) -> None:
        heads = self._heads.get(decision.junction)
        if heads is None:
            where = f"junction {decision.junction}"
            raise UnsafeCommand(where, "not in this network", next_move="command the junctions of `plant.junctions`")
        if isinstance(decision, Stage):
            if not 0 <= decision.stage < len(heads.stages):
                where = f"junction {decision.junction}: stage {decision.stage}"
                raise UnsafeCommand(where, "not there", f"0-{len(heads.stages) - 1}", "ask for another")
            stage = self._native(heads, self.time_s)[1] if heads.is_native else heads.stage
            if stage < 0 and (not heads.agenda or heads.agenda[-1][2] != decision.stage):
                where = f"junction {decision.junction}: stage {decision.stage}"
                raise UnsafeCommand(where, "the junction is in a change", "one change at a time", "ask when it is over")


def _heads(town: Town, name: JunctionId, what: Launch, protocol: Protocol) -> Heads:
    junction = town.signals.junctions[name]
    native: Program = town.signals.programs[name]
    return Heads(
        junction=name,
        stages=town.stages[name],
        clearance_s=[protocol.clearance_s(junction, stage) for stage in town.stages[name]],
        native=native,
        begin_s=what.begin_s,
        step_s=what.step_s,
        min_green_s=protocol.min_green_s,
    )
