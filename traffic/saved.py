"""The saved form of signals (`signals.json`): what is installed at each junction, and its plans.

Conflicts are not in the file: they come from the network's geometry, never from what they check.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from traffic.errors import BadScenario
from traffic.ids import JunctionId, PhaseNumber
from traffic.network import Crossing
from traffic.scenario import describe_faults
from traffic.signals import (
    Correction,
    Detector,
    ForceMode,
    Junction,
    Overlap,
    Pattern,
    Phase,
    Plan,
    Recall,
    Split,
    SplitMode,
    SplitPlan,
    SyncPoint,
)

Number = Annotated[int, Field(ge=1, le=255)]
PhaseNo = Annotated[int, Field(ge=1, le=16)]
Byte = Annotated[int, Field(ge=0, le=255)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SavedPhase(_Strict):
    """See `traffic.signals.Phase`."""

    number: PhaseNo
    ring: Annotated[int, Field(ge=1, le=4)] = 1
    concurrency: list[PhaseNo] = []
    min_green_s: Byte
    walk_s: Byte | None
    ped_clear_s: Byte | None
    passage_ds: Byte = 30
    max1_s: Byte = 50
    max2_s: Byte = 50
    yellow_ds: Byte
    red_clear_ds: Byte
    recall: Recall = Recall.MAXIMUM


class SavedOverlap(_Strict):
    """See `traffic.signals.Overlap`."""

    number: Number
    link_indices: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    protected: list[PhaseNo] = []
    permissive: list[PhaseNo] = []
    turn_on_red: list[PhaseNo] = []
    turn_on_red_change: list[PhaseNo] = []


class SavedDetector(_Strict):
    """See `traffic.signals.Detector`."""

    number: Number
    id: str
    call_phase: PhaseNo
    lanes: list[str] = []
    length_m: Annotated[float, Field(gt=0)] = 50.0


class SavedJunction(_Strict):
    """See `traffic.signals.Junction`."""

    id: str
    n_links: Annotated[int, Field(ge=1)]
    phases: list[SavedPhase] = Field(min_length=1)
    rings: list[list[PhaseNo]] = Field(min_length=1)
    barriers: list[list[PhaseNo]] = Field(min_length=1)
    overlaps: list[SavedOverlap] = Field(min_length=1)
    detectors: list[SavedDetector] = []
    coordinated: PhaseNo = 1


class SavedSplit(_Strict):
    """See `traffic.signals.Split`."""

    phase: PhaseNo
    split_s: Byte
    mode: SplitMode = SplitMode.NONE
    is_coordinated: bool = False


class SavedPlan(_Strict):
    """See `traffic.signals.Plan`: pattern and split in one row."""

    junction: str
    pattern: Number
    cycle_s: Byte
    offset_s: Byte
    split: Number
    sequence: Number = 1
    correction: Correction = Correction.SHORTWAY
    force_mode: ForceMode = ForceMode.FLOATING
    sync_point: SyncPoint = SyncPoint.BEGIN_GREEN
    splits: list[SavedSplit] = Field(min_length=1)


class SavedSignals(_Strict):
    """The whole file."""

    version: Literal[1]
    made_by: str = ""
    junctions: list[SavedJunction] = []
    plans: list[SavedPlan] = []


def read_signals(path: Path, crossings: Mapping[JunctionId, Crossing]) -> tuple[dict[JunctionId, Junction], list[Plan]]:
    """Read junctions, in the order of `crossings`, and their plans.

    Raises
    ------
    BadScenario
        With every fault at once: JSON, keys, values, junctions unknown or missing.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadScenario(str(path), error, "must be JSON", "mend the file") from error
    return signals_from_json(data, crossings, str(path))


def signals_from_json(
    data: object, crossings: Mapping[JunctionId, Crossing], where: str
) -> tuple[dict[JunctionId, Junction], list[Plan]]:
    """Return what `read_signals` does, from JSON already read; `where` names its place in errors."""
    try:
        saved = SavedSignals.model_validate(data)
    except ValidationError as error:
        raise BadScenario(where, describe_faults(error), next_move="mend the file") from error
    by_id = {JunctionId(row.id): row for row in saved.junctions}
    planned = {JunctionId(row.junction) for row in saved.plans}
    unknown = sorted((set(by_id) | planned) - set(crossings))
    missing = sorted(set(crossings) - set(by_id))
    if unknown or missing:
        fault = f"junctions unknown to the network: {unknown}; without signals here: {missing}"
        raise BadScenario(where, fault, next_move="make the file again from this network")
    junctions = {identity: _junction(by_id[identity], crossing) for identity, crossing in crossings.items()}
    return junctions, [_plan(row) for row in saved.plans]


def write_signals(path: Path, junctions: Iterable[Junction], plans: Sequence[Plan], made_by: str) -> None:
    """Write the saved form, sorted and indented, so that changes can be read."""
    path.write_text(json.dumps(signals_as_json(junctions, plans, made_by), indent=1) + "\n", encoding="utf-8")


def signals_as_json(junctions: Iterable[Junction], plans: Iterable[Plan], made_by: str) -> dict[str, Any]:
    """Return what `write_signals` writes."""
    saved = SavedSignals(
        version=1,
        made_by=made_by,
        junctions=[_saved_junction(junction) for junction in junctions],
        plans=[_saved_plan(plan) for plan in plans],
    )
    return saved.model_dump(mode="json")


def _junction(row: SavedJunction, crossing: Crossing) -> Junction:
    faults = junction_faults(row, crossing)
    if faults:
        raise BadScenario(f"signals of junction {row.id}", "; ".join(faults), next_move="mend signals.json")
    phases = [{**p.model_dump(), "concurrency": frozenset(p.concurrency)} for p in row.phases]
    sets = ("protected", "permissive", "turn_on_red", "turn_on_red_change")
    overlaps = [
        {
            **o.model_dump(),
            "link_indices": tuple(o.link_indices),
            **{name: frozenset(getattr(o, name)) for name in sets},
        }
        for o in row.overlaps
    ]
    return Junction(
        id=JunctionId(row.id),
        n_links=row.n_links,
        phases=tuple(Phase(**fields) for fields in phases),
        rings=tuple(tuple(map(PhaseNumber, ring)) for ring in row.rings),
        barriers=tuple(frozenset(map(PhaseNumber, group)) for group in row.barriers),
        overlaps=tuple(Overlap(**fields) for fields in overlaps),
        detectors=tuple(Detector(**{**d.model_dump(), "lanes": tuple(d.lanes)}) for d in row.detectors),
        conflicts=crossing.conflicts,
        permissive=crossing.permissive,
        coordinated=PhaseNumber(row.coordinated),
    )


def junction_faults(row: SavedJunction, crossing: Crossing) -> list[str]:
    """Return what does not hang together in one junction: numbers used, rings, barriers, links."""
    numbers = [phase.number for phase in row.phases]
    ringed = [number for ring in row.rings for number in ring]
    grouped = [number for group in row.barriers for number in group]
    named = {n for o in row.overlaps for n in (*o.protected, *o.permissive, *o.turn_on_red, *o.turn_on_red_change)}
    links = [index for overlap in row.overlaps for index in overlap.link_indices]
    faults = []
    if row.n_links != crossing.n_links:
        faults.append(f"n_links {row.n_links} but the network has {crossing.n_links}")
    if len(set(numbers)) != len(numbers):
        faults.append(f"phase numbers repeat: {sorted(numbers)}")
    if sorted(ringed) != sorted(numbers):
        faults.append(f"rings hold {sorted(ringed)}, phases are {sorted(numbers)}")
    if sorted(grouped) != sorted(numbers):
        faults.append(f"barriers hold {sorted(grouped)}, phases are {sorted(numbers)}")
    if not named <= set(numbers):
        faults.append(f"overlaps name phases {sorted(named - set(numbers))} that do not exist")
    if sorted(links) != list(range(row.n_links)):
        faults.append("every link index must be in exactly one overlap")
    if row.coordinated not in numbers:
        faults.append(f"coordinated phase {row.coordinated} does not exist")
    return faults


def _plan(row: SavedPlan) -> Plan:
    pattern = Pattern(
        number=row.pattern,
        cycle_s=row.cycle_s,
        offset_s=row.offset_s,
        split=row.split,
        sequence=row.sequence,
        correction=row.correction,
        force_mode=row.force_mode,
        sync_point=row.sync_point,
    )
    splits = tuple(Split(**split.model_dump()) for split in row.splits)
    return Plan(junction=JunctionId(row.junction), pattern=pattern, split=SplitPlan(number=row.split, splits=splits))


def _saved_junction(junction: Junction) -> SavedJunction:
    return SavedJunction(
        id=junction.id,
        n_links=junction.n_links,
        phases=[SavedPhase(**{**_fields(p), "concurrency": sorted(p.concurrency)}) for p in junction.phases],
        rings=[list(ring) for ring in junction.rings],
        barriers=[sorted(group) for group in junction.barriers],
        overlaps=[
            SavedOverlap(
                number=o.number,
                link_indices=list(o.link_indices),
                protected=sorted(o.protected),
                permissive=sorted(o.permissive),
                turn_on_red=sorted(o.turn_on_red),
                turn_on_red_change=sorted(o.turn_on_red_change),
            )
            for o in junction.overlaps
        ],
        detectors=[SavedDetector(**{**_fields(d), "lanes": list(d.lanes)}) for d in junction.detectors],
        coordinated=junction.coordinated,
    )


def _saved_plan(plan: Plan) -> SavedPlan:
    pattern = {name: value for name, value in _fields(plan.pattern).items() if name not in ("number", "split")}
    return SavedPlan(
        junction=plan.junction,
        pattern=plan.pattern.number,
        split=plan.split.number,
        splits=[SavedSplit(**_fields(split)) for split in plan.split.splits],
        **pattern,
    )


def _fields(row: object) -> dict[str, Any]:
    """Return a slotted dataclass's fields, one level deep."""
    return {name: getattr(row, name) for name in row.__dataclass_fields__}  # type: ignore[attr-defined]
