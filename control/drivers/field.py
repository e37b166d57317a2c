"""The street as a Plant: every junction behind its driver. Only ever used inside `control.guard.Guard`.

Plan level only: a decision is a plan that is loaded, read back and selected; the lease is renewed
while time passes. What is in the detector zones the cameras say; without them it stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import NamedTuple

import numpy as np

from traffic.decisions import Decision, Release, SelectPattern
from traffic.errors import ControllerFault, PlantLost, TrafficError, UnsafeCommand
from traffic.ids import JunctionId, PhaseNumber
from traffic.lamps import FREER, Part, RingState, lamps, stages
from traffic.network import Network
from traffic.ports import AuditLog, ControllerStatus, Driver, Identity
from traffic.signals import Junction, Overlap, Plan
from traffic.snapshot import FloatArray, Snapshot

LEASE_SHARE = 3
"""The lease is renewed every so-many-th part of the controller's backup time (notes/field.md)."""
EPSILON_S = 1e-6


class ZoneReadings(NamedTuple):
    """What the cameras see by movement: the arrays of `traffic.snapshot.Snapshot`."""

    arriving_veh: FloatArray
    queued_veh: FloatArray
    leaving_veh: FloatArray
    zone_length_m: FloatArray


@dataclass(slots=True)
class _Post:
    """What the centre knows of one controller that it commands; `silent_s` is how long its polls have been lost.

    `stage` is the running one as polled, `stage_since_s` when a poll saw it first.
    """

    driver: Driver
    plan: Plan | None = None
    is_confirmed: bool = False
    status: ControllerStatus | None = None
    silent_s: float = 0.0
    stage: int = -1
    stage_since_s: float = 0.0

    @property
    def time_s(self) -> float:
        """The controller's clock, counted on from its last answer; NaN before the first."""
        return self.status.time_s + self.silent_s if self.status else float("nan")

    def hear(self, status: ControllerStatus) -> ControllerStatus:
        """Take an answer."""
        self.status, self.silent_s = status, 0.0
        return status

    def see_stage(self, stage: int) -> None:
        """Take the stage of the last answer."""
        if stage != self.stage and self.status is not None:
            self.stage, self.stage_since_s = stage, self.status.time_s


class FieldPlant:
    """Drivers as a `Plant`.

    Parameters
    ----------
    network, junctions
        What stands in the street, junctions in the order of `network.crossings`.
    drivers
        One a junction.
    wait
        Lets this much street time pass (a sleep, or the harness of a simulated street).
    audit
        Where pushes, confirmations and releases are recorded.
    cameras
        Asked for the readings of the detector zones at every snapshot; None where nothing sees them.
    """

    def __init__(
        self,
        network: Network,
        junctions: Mapping[JunctionId, Junction],
        drivers: Mapping[JunctionId, Driver],
        wait: Callable[[float], None],
        audit: AuditLog,
        cameras: Callable[[], ZoneReadings] | None = None,
    ) -> None:
        self._network, self._junctions, self._wait, self._audit = network, junctions, wait, audit
        unknown = np.full(len(network.movements), np.nan)
        self._cameras = cameras or (lambda: ZoneReadings(unknown, unknown, unknown, unknown))
        self._posts = {name: _Post(drivers[name]) for name in network.crossings}
        self._stages = {name: stages(junction) for name, junction in junctions.items()}
        self.read_back: dict[JunctionId, bool] = {}
        self.on_release: Callable[[JunctionId, str], None] = lambda *_: None

    @property
    def network(self) -> Network:
        """The roads."""
        return self._network

    @property
    def junctions(self) -> Mapping[JunctionId, Junction]:
        """What is installed."""
        return self._junctions

    @property
    def stages(self) -> Mapping[JunctionId, Sequence[str]]:
        """The stages of each junction; a street's drivers take plans only."""
        return self._stages

    def authority(self, junction: JunctionId) -> tuple[Identity, ControllerStatus]:
        """Poll who a controller is and what it does, for the guard."""
        driver = self._posts[junction].driver
        return driver.identify(), driver.status()

    def snapshot(self) -> Snapshot:
        """Poll every controller, and ask the cameras; a stage counts as green since a poll saw it first.

        Raises
        ------
        ControllerFault
            If a poll finds that a plan of ours is lost; that controller was released.
        PlantLost
            If one does not answer.
        """
        polled = [self._poll(name) for name in self._posts]
        # The middle one: a single controller whose clock runs off moves nobody's time.
        time_s = median_low(status.time_s for status in polled)
        for (name, post), status in zip(self._posts.items(), polled, strict=True):
            post.see_stage(stage_of(self._junctions[name], self._stages[name], status))
        seen = self._cameras()
        return Snapshot(
            time_s=time_s,
            arriving_veh=seen.arriving_veh,
            queued_veh=seen.queued_veh,
            leaving_veh=seen.leaving_veh,
            zone_length_m=seen.zone_length_m,
            lamps=tuple(
                lamps_of(self._junctions[name], status) for name, status in zip(self._posts, polled, strict=True)
            ),
            stage=tuple(post.stage for post in self._posts.values()),
            green_since_s=tuple(min(post.stage_since_s, time_s) for post in self._posts.values()),
        )

    def command(self, decisions: Sequence[Decision]) -> None:
        """Load, read back and select plans; hand back released junctions.

        Raises
        ------
        UnsafeCommand
            If a decision is not at plan level; nothing was sent.
        ControllerFault, PlantLost
            If a controller is not what it should be; it, and all that were sent before it in this batch, are released.
        """
        plans = [decision for decision in decisions if isinstance(decision, SelectPattern | Release)]
        if len(plans) < len(decisions):
            raise UnsafeCommand("street", "a stage was commanded", "this street takes plans only", "send SelectPattern")
        sent: list[JunctionId] = []
        try:
            for decision in plans:
                sent.append(decision.junction)
                self._send(decision)
        except BaseException as error:
            if isinstance(error, UnsafeCommand) and isinstance(decision, SelectPattern) and not self._holds(sent[-1]):
                # Nothing was written there and nothing of ours runs: a release would only throw another master out.
                sent.pop()
            due = [d.junction for d in plans if isinstance(d, Release) and d.junction not in sent]
            self.release([*sent, *due], error.line if isinstance(error, TrafficError) else repr(error))
            raise

    def advance(self, seconds: float) -> None:
        """Let time pass; renew leases, confirm selections, release what is not confirmed in time.

        Raises
        ------
        ControllerFault
            If a controller had to be released; the others go on.
        """
        left_s, faults = seconds, []
        while left_s > EPSILON_S:
            span_s = min([left_s, *(self._lease_s(post) for post in self._posts.values() if post.plan)])
            self._wait(span_s)
            left_s -= span_s
            held = [name for name, post in self._posts.items() if post.plan]
            faults += [line for name in held if (line := self._tend(name, span_s))]
        if faults:
            raise ControllerFault("street", "; ".join(faults), next_move="their own plans run; look at them")

    def release(self, junctions: Sequence[JunctionId], reason: str) -> None:
        """Hand junctions back; one that does not answer falls back by itself when its lease runs out."""
        for name in junctions:
            post = self._posts[name]
            post.plan = None
            try:
                post.driver.release()
                answer = "released"
            except TrafficError as error:
                answer = f"no answer, its lease runs out: {error.line}"
            self._audit.append("release", name, {"time_s": post.time_s, "reason": reason, "answer": answer})
            self.on_release(name, reason)

    def release_all(self, reason: str) -> None:
        """Hand back every junction that holds a plan of ours."""
        self.release([name for name, post in self._posts.items() if post.plan], reason)

    @property
    def is_confirmed(self) -> bool:
        """Whether every plan that was sent is in effect."""
        return all(post.is_confirmed for post in self._posts.values() if post.plan)

    def _send(self, decision: SelectPattern | Release) -> None:
        post, name = self._posts[decision.junction], decision.junction
        if isinstance(decision, Release):
            post.plan = None
            post.driver.release()
            self._audit.append("release", name, {"time_s": post.time_s, "reason": "commanded"})
            return
        wanted = decision.order.plan
        loaded = post.driver.load(wanted)
        self.read_back[name] = is_same_timing(wanted, loaded)
        if not self.read_back[name]:
            raise ControllerFault(f"junction {name}: read back", loaded, f"must equal {wanted}", "look at it")
        post.driver.select(loaded.pattern.number)
        post.plan, post.is_confirmed = loaded, False
        post.hear(post.driver.status())
        self._audit.append("push", name, {"time_s": post.time_s, "pattern": loaded.pattern.number})

    def _holds(self, name: JunctionId) -> bool:
        return self._posts[name].plan is not None

    def _poll(self, name: JunctionId) -> ControllerStatus:
        """Poll; a fault that is found ends a plan of ours, and is told."""
        post = self._posts[name]
        try:
            return post.hear(post.driver.status())
        except ControllerFault as error:
            if post.plan:
                self.release([name], error.line)
            raise

    def _lease_s(self, post: _Post) -> float:
        assert post.status is not None
        return max(1.0, post.status.backup_time_s / LEASE_SHARE)

    def _tend(self, name: JunctionId, span_s: float) -> str | None:
        """Renew one lease, which polls and judges; return what went wrong.

        Lost polls hold on until the lease has lapsed: then the controller is on its local plan, or dead.
        """
        post = self._posts[name]
        post.silent_s += span_s
        try:
            post.driver.refresh()
            status = post.hear(post.driver.status())
        except PlantLost as error:
            return self._note_silence(name, error)
        except (ControllerFault, UnsafeCommand) as error:
            self.release([name], error.line)
            return error.line
        if post.driver.is_confirmed and not post.is_confirmed:
            post.is_confirmed = True
            self._audit.append("confirmed", name, {"time_s": status.time_s, "pattern": status.pattern})
        return None

    def _note_silence(self, name: JunctionId, error: PlantLost) -> str | None:
        post = self._posts[name]
        assert post.status is not None
        self._audit.append("lost_poll", name, {"time_s": post.time_s, "error": error.line})
        if post.silent_s < post.status.backup_time_s:
            return None
        line = f"junction {name}: unheard for {post.silent_s:.0f} s, its lease of {post.status.backup_time_s} s lapsed"
        self.release([name], line)
        return line


def is_same_timing(wanted: Plan, loaded: Plan) -> bool:
    """Whether a plan read back times the street as the wanted one; its table numbers may differ."""
    splits = [{s.phase: s for s in plan.split.splits} for plan in (wanted, loaded)]
    cycles = [(p.pattern.cycle_s, p.pattern.offset_s, p.pattern.sequence) for p in (wanted, loaded)]
    return wanted.junction == loaded.junction and cycles[0] == cycles[1] and splits[0] == splits[1]


def stage_of(junction: Junction, installed: Sequence[str], status: ControllerStatus) -> int:
    """Return the place in `installed` of the stage that the polled phases make; -1 in a change, or where none runs."""
    if status.yellows or not status.greens:
        return -1
    shown = lamps(junction, [RingState(phase, Part.GREEN, phase) for phase in sorted(status.greens)])
    return installed.index(shown) if shown in installed else -1


def lamps_of(junction: Junction, status: ControllerStatus) -> str:
    """Return the lamps that the polled phases drive; a link whose phases are neither green nor yellow is red.

    A link that two overlaps drive shows the freer of the two, as in `traffic.lamps`.
    """
    letters = ["r"] * junction.n_links
    for overlap in junction.overlaps:
        letter = _letter(overlap, status.greens, status.yellows)
        for index in overlap.link_indices:
            letters[index] = max(letters[index], letter, key=FREER)
    return "".join(letters)


def _letter(overlap: Overlap, greens: frozenset[PhaseNumber], yellows: frozenset[PhaseNumber]) -> str:
    if overlap.protected & greens:
        return "G"
    if overlap.permissive & greens:
        return "g"
    return "y" if overlap.parents & yellows else "r"
