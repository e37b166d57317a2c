"""Whether a controller may be commanded at all: who it is, what it is doing, what happens if the centre dies."""

from __future__ import annotations

from control.limits import GuardLimits
from traffic.ports import ControllerMode, ControllerStatus, Identity
from traffic.signals import Junction

BLOCKING_MODES = {
    ControllerMode.FLASH: "never command a flashing controller",
    ControllerMode.PREEMPT: "preempt goes first",
    ControllerMode.MANUAL: "a person has it in hand",
    ControllerMode.TRANSITION: "no change while in transition",
}


def authority_faults(
    junction: Junction, identity: Identity, status: ControllerStatus, limits: GuardLimits
) -> list[str]:
    """Return every reason why this controller must not be commanded now; an empty list is authority."""
    return identity_faults(junction, identity) + status_faults(junction, status) + _fail_safe(identity, status, limits)


def identity_faults(junction: Junction, identity: Identity) -> list[str]:
    """Return how a controller differs from the junction that it should be."""
    where, faults = f"controller of junction {junction.id}", []
    if identity.junction != junction.id:
        faults.append(f"{where}: answers as {identity.junction} (the junction's own)")
    if identity.config_hash != junction.config_hash:
        faults.append(f"{where}: configuration {identity.config_hash} (expected {junction.config_hash})")
    installed = {phase.number: (phase.min_green_s, phase.yellow_ds, phase.red_clear_ds) for phase in junction.phases}
    for number in sorted(set(installed) | set(identity.phases)):
        reported, expected = identity.phases.get(number), installed.get(number)
        if reported is not None and reported != expected:
            faults.append(f"{where}: phase {number} times {reported} (installed {expected}: s, ds, ds)")
    return faults


def status_faults(junction: Junction, status: ControllerStatus) -> list[str]:
    """Return what a controller is doing that forbids a command."""
    where, faults = f"controller of junction {junction.id}", []
    if status.mode in BLOCKING_MODES:
        faults.append(f"{where}: in {status.mode.value} ({BLOCKING_MODES[status.mode]})")
    if not status.is_remote_enabled:
        faults.append(f"{where}: remote commands disabled (unitControl must allow them)")
    return faults


def _fail_safe(identity: Identity, status: ControllerStatus, limits: GuardLimits) -> list[str]:
    where, faults = f"controller of junction {identity.junction}", []
    backup_s = {identity.backup_time_s, status.backup_time_s}
    if min(backup_s) <= 0:
        faults.append(f"{where}: fail-safe time-out {min(backup_s)} s (0 is off; 1-{limits.max_backup_time_s} s)")
    if max(backup_s) > limits.max_backup_time_s:
        faults.append(f"{where}: fail-safe time-out {max(backup_s)} s (at most {limits.max_backup_time_s} s)")
    if identity.max_patterns < 1 or not identity.has_local_plan:
        faults.append(f"{where}: no local plan (it must run without the centre)")
    return faults
