"""An append-only record in memory; the durable one stands in ops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from traffic.ids import JunctionId


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the record."""

    kind: str
    junction: JunctionId | None
    detail: Mapping[str, object]


@dataclass(slots=True)
class MemoryAudit:
    """Fills `traffic.ports.AuditLog` for tests and for runs that nobody has to answer for."""

    records: list[Record] = field(default_factory=list)

    def append(self, kind: str, junction: JunctionId | None, detail: Mapping[str, object]) -> None:
        """Write one record."""
        self.records.append(Record(kind, junction, dict(detail)))

    def of_kind(self, kind: str) -> list[Record]:
        """Return the records of one kind, in order."""
        return [record for record in self.records if record.kind == kind]
