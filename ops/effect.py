"""From the arms of a comparison to the measures of the report: by trip records, and by the event log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import isfinite, nan

import numpy as np

from ops.arms import Arm, Times
from ops.detectors import detector_channels
from ops.log_delay import DetectorChannel, Key, LoggedApproach, LoggedDelay, approaches_of, log_delay, total_delay_s
from ops.report_data import DELAY, DELAY_LOG, DELAY_MCU, ApproachRow, Measure
from sim.measures import Measures, measure
from sim.sensors import Sensors
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.signals import Junction

TRIP_MEASURES = ("trip_time_s", "wait_s", "stops", "arrived", "running", "not_departed")
"""Measures of the trip records that are shown beside the delay."""


def measures_of(
    before: Sequence[Arm],
    after: Sequence[Arm],
    times: Times,
    approaches: Sequence[LoggedApproach],
    mcu_of_type: Mapping[str, float],
) -> tuple[Measure, ...]:
    """Return one `Measure` a key: the arms' values seed by seed; `after` is empty where nothing was pushed."""
    by_trips = partial(_by_trips, times=times)
    rows = [Measure(key=DELAY, before=_column(before, by_trips, DELAY), after=_column(after, by_trips, DELAY))]
    logs = [_logged(arm, times, approaches) for arm in before], [_logged(arm, times, approaches) for arm in after]
    known = _known_everywhere([*logs[0], *logs[1]])
    rows.append(
        Measure(
            key=DELAY_LOG,
            before=tuple(total_delay_s(log, known) for log in logs[0]),
            after=tuple(total_delay_s(log, known) for log in logs[1]),
        )
    )
    if mcu_of_type:
        weighted = partial(mcu_delay_s, times=times, mcu_of_type=mcu_of_type)
        rows.append(Measure(key=DELAY_MCU, before=tuple(map(weighted, before)), after=tuple(map(weighted, after))))
    for key in TRIP_MEASURES:
        rows.append(Measure(key=key, before=_column(before, by_trips, key), after=_column(after, by_trips, key)))
    return tuple(rows)


def mcu_delay_s(arm: Arm, *, times: Times, mcu_of_type: Mapping[str, float]) -> float:
    """Return the delay of one arm with every vehicle weighted by its motorcycle units."""
    trips = arm.trips
    inside = (trips.scheduled_s >= times.window_from_s) & (trips.scheduled_s < times.window_to_s)
    weights = np.array([mcu_of_type.get(kind, 1.0) for kind in trips.vehicle_types])[inside]
    delays = (trips.time_loss_s + trips.depart_delay_s)[inside]
    return float((weights * delays).sum() / weights.sum()) if weights.sum() > 0 else nan


def _by_trips(arm: Arm, times: Times) -> Measures:
    return measure(arm.trips, times.window_from_s, times.window_to_s)


def _column(arms: Sequence[Arm], by_trips: partial[Measures], key: str) -> tuple[float, ...]:
    return tuple(float(getattr(by_trips(arm), key)) for arm in arms)


def logged_approaches(network: Network, junctions: Mapping[JunctionId, Junction]) -> tuple[LoggedApproach, ...]:
    """Return the street's approaches as the event log knows them; free flow is at the speed limit."""
    sensors = Sensors(network)
    channels: Sequence[DetectorChannel] = detector_channels(network)
    free_flow_s: dict[Key, float] = {
        (row.junction, row.approach): sensors.advance_m(network, row.approach) / network.links[row.approach].speed_mps
        for row in channels
    }
    phases: dict[Key, tuple[int, ...]] = {key: _phases_of(network, junctions[key[0]], key) for key in free_flow_s}
    return approaches_of(channels, free_flow_s, phases)


def _phases_of(network: Network, junction: Junction, key: Key) -> tuple[int, ...]:
    links = {
        index
        for movement in network.movements.values()
        if (movement.junction, movement.approach) == key
        for index in movement.link_indices
    }
    return tuple(sorted({p for o in junction.overlaps if links & set(o.link_indices) for p in o.parents}))


def _logged(arm: Arm, times: Times, approaches: Sequence[LoggedApproach]) -> dict[Key, LoggedDelay]:
    return log_delay(arm.events, approaches, (times.window_from_s, times.window_to_s))


def _known_everywhere(logs: Sequence[Mapping[Key, LoggedDelay]]) -> list[Key]:
    """Return the approaches whose delay is known in every run: only these can be compared."""
    keys = list(logs[0]) if logs else []
    return [key for key in keys if all(isfinite(log[key].delay_veh_s) for log in logs)]


def approach_rows(
    before: Sequence[Arm], after: Sequence[Arm], times: Times, approaches: Sequence[LoggedApproach]
) -> tuple[ApproachRow, ...]:
    """Return control delay per approach by the event log, means over the seeds; NaN where a run does not know it."""
    logs = [_logged(arm, times, approaches) for arm in before], [_logged(arm, times, approaches) for arm in after]
    return tuple(
        ApproachRow(
            junction=row.junction,
            approach=row.approach,
            delay_before_s=_mean_delay(logs[0], row.key),
            delay_after_s=_mean_delay(logs[1] or logs[0], row.key),
        )
        for row in approaches
    )


def _mean_delay(logs: Sequence[Mapping[Key, LoggedDelay]], key: Key) -> float:
    values = [log[key].delay_s for log in logs]
    return float(np.mean(values)) if values else nan
