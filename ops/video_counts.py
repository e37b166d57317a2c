"""One approach of the demo counted from real pixels: a clip's flows in place of a virtual camera's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ops.count import CountOptions, run_count
from ops.whole_counts import in_whole_vehicles
from traffic.count_files import read_counts
from traffic.counts import Health, TurnCount, VehicleClass
from traffic.errors import BadInput
from traffic.network import Network
from vision.camera_file import read_camera


def count_clip(video: Path, camera: Path, weights: str | None, network: Network, out: Path) -> list[TurnCount]:
    """Count a clip and return what it says of movements of the network.

    Raises
    ------
    BadInput
        If the camera file names no movement, or one that this network does not have; nothing was counted yet.
    """
    named = [name for line in read_camera(camera).lines for name in (line.movement_to_left, line.movement_to_right)]
    strange = sorted({name for name in named if name is not None} - set(network.movements))
    if strange or not any(named):
        told = f"names {', '.join(strange)}" if strange else "its lines name no movement"
        move = "give a line movement_to_left or movement_to_right"
        raise BadInput(f"camera file {camera}", told, "movements of this scenario's network", move)
    run_count(video, camera, weights, out, CountOptions(has_slit_scan=True))
    return [row for row in read_counts(out / "counts.csv") if row.movement in network.movements]


def in_place(counts: Sequence[TurnCount], clip: Sequence[TurnCount]) -> list[TurnCount]:
    """Return counts in which the clip's movements have the clip's mean flow, over each row's own period.

    Periods in which the clip's camera was not healthy say nothing; a movement without any other is unknown. A
    class that the clip has not seen did not pass.
    """
    watched: dict[str, dict[float, float]] = {row.movement: {} for row in clip}
    seen: Counter[tuple[str, VehicleClass]] = Counter()
    for row in clip:
        if row.count is not None:
            watched[row.movement][row.start_s] = row.period_s
            seen[row.movement, row.vehicle_class] += row.count

    def blind(row: TurnCount) -> TurnCount:
        is_blind = row.movement in watched and not watched[row.movement]
        return replace(row, count=None, health=Health.LOST) if is_blind else row

    def value_veh(row: TurnCount) -> float | None:
        spans_s = watched.get(row.movement)
        if not spans_s or row.count is None:
            return None
        return seen[row.movement, row.vehicle_class] * row.period_s / sum(spans_s.values())

    return in_whole_vehicles((blind(row), value_veh(row)) for row in counts)
