"""The event log of a cabinet, 100 ms stamps, codes of `traffic.events`."""

from __future__ import annotations

from dataclasses import dataclass, field

from control.drivers.cabinet_rings import Ring
from traffic.events import Event, EventCode
from traffic.ids import JunctionId
from traffic.lamps import Part
from traffic.ports import EventSink
from traffic.signals import GREEN_LETTERS, Junction

OVERLAP_CODES = {
    "g": EventCode.OVERLAP_BEGIN_GREEN,
    "y": EventCode.OVERLAP_BEGIN_YELLOW,
    "r": EventCode.OVERLAP_BEGIN_RED_CLEAR,
}


@dataclass(slots=True, kw_only=True)
class CabinetLog:
    """Collects the events of a step and hands them on in order."""

    junction: JunctionId
    sink: EventSink | None
    now_ds: int
    _pending: list[Event] = field(default_factory=list)

    def emit(self, code: EventCode, parameter: int) -> None:
        """Note one event now."""
        if self.sink is not None:
            self._pending.append(Event(self.now_ds, self.junction, code, parameter))

    def ring(self, ring: Ring, before: Part) -> None:
        """Note what a ring's change of part means."""
        number = int(ring.phase)
        if ring.part is Part.GREEN:
            self.emit(EventCode.PHASE_ON, number)
            self.emit(EventCode.BEGIN_GREEN, number)
        elif ring.part is Part.YELLOW:
            if ring.ending is not None:
                self.emit(EventCode(int(ring.ending)), number)
            self.emit(EventCode.END_GREEN, number)
            self.emit(EventCode.BEGIN_YELLOW, number)
        elif ring.part is Part.RED_CLEAR:
            self.emit(EventCode.END_YELLOW, number)
            self.emit(EventCode.BEGIN_RED_CLEAR, number)
        elif before is Part.RED_CLEAR:
            self.emit(EventCode.END_RED_CLEAR, number)

    def lamps(self, junction: Junction, before: str, after: str) -> None:
        """Note overlaps that turn green, yellow or red."""
        if self.sink is None:
            return
        for overlap in junction.overlaps:
            index = overlap.link_indices[0]
            was, now = _colour(before[index]), _colour(after[index])
            if was != now:
                self.emit(OVERLAP_CODES[now], overlap.number)

    def flush(self) -> None:
        """Hand the events of this step on."""
        if self._pending and self.sink is not None:
            pending, self._pending = self._pending, []
            self.sink.emit(pending)


def _colour(letter: str) -> str:
    if letter in GREEN_LETTERS:
        return "g"
    return "y" if letter == "y" else "r"
