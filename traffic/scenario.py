"""Scenario files: what stands in `scenarios/<name>/scenario.toml`, checked at the edge, all faults at once.

The saved form (`ScenarioFile`) names files beside it; the form in memory (`Scenario`) has them resolved.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from traffic.errors import BadScenario

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Acceptance(_Strict):
    """Who accepted installed clearances below the formula, why and when."""

    accepted_by: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


class GuardFile(_Strict):
    """Site limits of the guard."""

    max_red_s: Annotated[float, Field(gt=0, le=600)] = 120.0
    min_cycle_s: Annotated[int, Field(ge=30, le=255)] = 30
    max_cycle_s: Annotated[int, Field(ge=30, le=255)] = 180
    max_backup_time_s: Annotated[int, Field(ge=10, le=900)] = 300
    accepted: Acceptance | None = None


class ClearanceFile(_Strict):
    """Inputs of the ITE formula for yellow and red clearance, each a setting with a source."""

    reaction_s: Annotated[float, Field(gt=0, le=3)] = 1.0
    decel_mps2: Annotated[float, Field(gt=0, le=6)] = 3.05
    grade: Annotated[float, Field(ge=-0.15, le=0.15)] = 0.0
    vehicle_length_m: Annotated[float, Field(gt=0, le=20)] = 6.1
    source: str = "ITE, Guidelines for Determining Traffic Signal Change and Clearance Intervals, 2020"


class ScenarioFile(_Strict):
    """The saved form, version 1. `corridor` names the junctions along the main road, in order.

    `sat_flow_per_m` is the saturation flow per hour and metre of width, in the units of `mcu`.
    """

    version: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str = Field(min_length=1)
    schematic: bool = False
    network: str
    routes: list[str] = Field(min_length=1)
    additional: list[str] = []
    begin_s: Seconds
    end_s: Seconds
    step_s: Annotated[float, Field(gt=0, le=1)] = 1.0
    lateral_resolution_m: Annotated[float, Field(gt=0, le=4)] | None = None
    ignore_junction_blocker_s: Annotated[float, Field(gt=0)] | None = None
    counts: str | None = None
    signals: str | None = None
    cameras: str | None = None
    corridor: list[str] = []
    sat_flow_per_m: Annotated[float, Field(gt=0)] | None = None
    mcu: dict[str, Annotated[float, Field(gt=0)]] = {}
    guard: GuardFile = GuardFile()
    clearance: ClearanceFile = ClearanceFile()

    @model_validator(mode="after")
    def _check(self) -> ScenarioFile:
        if self.end_s <= self.begin_s:
            raise ValueError(f"end_s {self.end_s} must be above begin_s {self.begin_s}")
        for name in self.file_names:
            path = Path(name)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(f"file {name!r} must lie in the scenario's own folder")
        return self

    @property
    def file_names(self) -> list[str]:
        """Every file that the scenario names."""
        optional = [name for name in (self.counts, self.signals, self.cameras) if name]
        return [self.network, *self.routes, *self.additional, *optional]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario in memory: absolute paths, seconds, settings."""

    name: str
    title: str
    folder: Path
    network: Path
    routes: tuple[Path, ...]
    additional: tuple[Path, ...] = ()
    begin_s: float = 0.0
    end_s: float = 3600.0
    step_s: float = 1.0
    lateral_resolution_m: float | None = None
    ignore_junction_blocker_s: float | None = None
    is_schematic: bool = False
    counts: Path | None = None
    signals: Path | None = None
    cameras: Path | None = None
    corridor: tuple[str, ...] = ()
    sat_flow_per_m: float | None = None
    mcu: dict[str, float] = field(default_factory=dict)
    guard: GuardFile = GuardFile()
    clearance: ClearanceFile = ClearanceFile()


def read_scenario(folder: Path) -> Scenario:
    """Read `folder/scenario.toml`.

    Raises
    ------
    BadScenario
        Once, with every fault found: of syntax, keys, values, and files that are not there.
    """
    path = folder / "scenario.toml"
    try:
        saved = ScenarioFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BadScenario(str(path), "not there", next_move="run: python3 run.py scenario list") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadScenario(str(path), error, "must be TOML", "mend the file") from error
    except ValidationError as error:
        raise BadScenario(str(path), describe_faults(error), next_move="mend the file") from error
    missing = [name for name in saved.file_names if not (folder / name).is_file()]
    if missing:
        raise BadScenario(str(path), ", ".join(missing), "named but not there", "add the files or mend the names")
    return resolve(saved, folder)


def describe_faults(error: ValidationError) -> str:
    """Return all faults of a pydantic validation in one line."""
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'file'}: {fault['msg']}" for fault in error.errors()
    )


def resolve(saved: ScenarioFile, folder: Path) -> Scenario:
    """Return the form in memory, its paths made absolute."""
    root = folder.resolve()

    def at(name: str | None) -> Path | None:
        return root / name if name else None

    return Scenario(
        name=saved.name,
        title=saved.title,
        folder=root,
        network=root / saved.network,
        routes=tuple(root / name for name in saved.routes),
        additional=tuple(root / name for name in saved.additional),
        begin_s=saved.begin_s,
        end_s=saved.end_s,
        step_s=saved.step_s,
        lateral_resolution_m=saved.lateral_resolution_m,
        ignore_junction_blocker_s=saved.ignore_junction_blocker_s,
        is_schematic=saved.schematic,
        counts=at(saved.counts),
        signals=at(saved.signals),
        cameras=at(saved.cameras),
        corridor=tuple(saved.corridor),
        sat_flow_per_m=saved.sat_flow_per_m,
        mcu=dict(saved.mcu),
        guard=saved.guard,
        clearance=saved.clearance,
    )
