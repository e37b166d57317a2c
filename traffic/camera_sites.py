"""Where a scenario has cameras, and what each sees (`cameras.toml`).

::

    version = 1
    [[cameras]]
    id = "cam_a"
    junction = "a"
    x_m = 0.0            # network metres
    y_m = 0.0
    movements = ["a:n_in>s_out"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from traffic.errors import BadScenario
from traffic.ids import JunctionId, MovementId
from traffic.network import Network
from traffic.scenario import describe_faults


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CameraSite(_Strict):
    """One camera over one junction."""

    id: str = Field(min_length=1, pattern=r"^[A-Za-z0-9_]+$")
    title: str = ""
    junction: JunctionId
    x_m: Annotated[float, Field(allow_inf_nan=False)]
    y_m: Annotated[float, Field(allow_inf_nan=False)]
    movements: tuple[MovementId, ...] = Field(min_length=1)


class _CamerasFile(_Strict):
    version: Literal[1]
    cameras: tuple[CameraSite, ...] = Field(min_length=1)


def read_cameras(path: Path, network: Network) -> list[CameraSite]:
    """Read the cameras of a scenario.

    Raises
    ------
    BadScenario
        With every fault at once: TOML, keys, ids that repeat, junctions and movements unknown to the network.
    """
    try:
        saved = _CamerasFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadScenario(str(path), error, "must be TOML", "mend the file") from error
    except ValidationError as error:
        raise BadScenario(str(path), describe_faults(error), next_move="mend the file") from error
    faults = list(_faults(saved.cameras, network))
    if faults:
        raise BadScenario(str(path), "; ".join(faults), next_move="mend the file")
    return list(saved.cameras)


def _faults(cameras: Iterable[CameraSite], network: Network) -> Iterable[str]:
    seen: set[str] = set()
    for camera in cameras:
        if camera.id in seen:
            yield f"camera {camera.id} twice"
        seen.add(camera.id)
        if camera.junction not in network.crossings:
            yield f"camera {camera.id}: no junction {camera.junction}"
        for movement in camera.movements:
            known = network.movements.get(movement)
            if known is None or known.junction != camera.junction:
                yield f"camera {camera.id}: {movement} is no movement of junction {camera.junction}"


def write_cameras(path: Path, cameras: Iterable[CameraSite]) -> None:
    """Write the saved form."""
    lines = ["version = 1"]
    for camera in cameras:
        lines += ["", "[[cameras]]", f'id = "{camera.id}"']
        if camera.title:
            lines.append(f'title = "{camera.title}"')
        lines += [f'junction = "{camera.junction}"', f"x_m = {camera.x_m}", f"y_m = {camera.y_m}", "movements = ["]
        lines += [f'  "{movement}",' for movement in camera.movements]
        lines.append("]")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
