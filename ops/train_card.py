"""The card of a policy: where it comes from, how well it did, where it must not be used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from control.policy_files import MODELS
from control.rl.training import Training, validations
from ops.train_files import made_by
from traffic.errors import BadInput

MUST_NOT = (
    "without the guard: it knows no clearances, no conflicts and no pedestrians",
    "on a street before it was judged on a calibrated twin of that street",
    "where most movements of a junction have no detector: there it leaves the junction to its plan",
    "as a claim about the towns or demand seeds that it was trained or chosen on",
)


def model_folder(name: str) -> Path:
    """Return the folder of a policy that is to be shipped.

    Raises
    ------
    BadInput
        If the name is none.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,40}", name):
        raise BadInput("--model", name, "small letters, digits, _ and -", "give another name")
    return MODELS / name


def card_of(
    source: str, task: Mapping[str, Any], training: Training, greedy_s: float, stopped: str | None
) -> dict[str, Any]:
    """Return the card of the best weights of a training; its tables are settings, scores and versions."""
    is_generated = task["source"] == "generated"
    made, judged = made_by(), validations(training)
    plan = dict(task["training"])
    evolution = plan.pop("evolution")
    what = "generated towns" if is_generated else f"the network of {source}"
    clock = {} if plan["generations"] is not None else {"pace": "followed the clock: not to be repeated to the bit"}
    elsewhere = () if is_generated else (f"on any other network than {source} without a trial of its own",)
    return {
        "trained_on": what,
        "seed": evolution["seed"],
        "generations": training.evolution.generation,
        "best_generation": training.best_generation,
        "training_s": round(training.seconds, 1),
        "stopped": stopped or "interrupted",
        "is_complete": stopped is not None,
        **clock,
        "commit": made["commit"],
        "command": made["command"],
        "must_not": [*MUST_NOT, *elsewhere],
        "settings": {**{key: task[key] for key in ("towns", "judged")}, **plan, **evolution},
        "scores": {
            "measure": "delay over that of greedy control, geometric mean, in the core, on what it did not learn from",
            "validation_ratio": round(training.best_ratio, 5),
            "greedy_delay_s": round(greedy_s, 2),
            "generation": [int(row) for row in judged[:, 0]],
            "ratio": [round(float(row), 5) for row in judged[:, 1]],
        },
        "versions": made["versions"],
    }
