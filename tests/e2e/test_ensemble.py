"""Many runs over processes: order, errors, a killed worker, an interruption."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from sim.ensemble import Outcome, run_many
from tests.e2e.ensemble_runs import Spec, run
from traffic.errors import BadScenario, PlantLost


def test_results_come_in_order_whatever_becomes_of_the_others() -> None:
    specs: list[Spec] = [("square", 1), ("die", 2), ("refuse", 3), ("square", 4), ("square", 5)]
    outcomes = list(run_many(specs, run, jobs=2))
    assert [outcome.spec for outcome in outcomes] == specs
    assert [outcome.result for outcome in outcomes] == [1, None, None, 16, 25]
    assert isinstance(outcomes[1].error, PlantLost)
    assert "killed by signal 9" in str(outcomes[1].error)
    assert isinstance(outcomes[2].error, BadScenario)


def test_a_worker_is_used_again_unless_every_run_is_to_have_its_own() -> None:
    specs: list[Spec] = [("pid", n) for n in range(4)]
    shared, fresh = ({row.result for row in run_many(specs, run, jobs=2, is_fresh=own)} for own in (False, True))
    assert (len(shared), len(fresh)) == (2, 4)


def test_nothing_to_run_is_no_outcome() -> None:
    assert list(run_many([], run)) == []


def test_an_interruption_keeps_what_is_done_and_marks_the_rest() -> None:
    specs: list[Spec] = [("square", 3), ("wait", 0), ("square", 4)]
    outcomes: list[Outcome[Spec, int]] = []

    def collect() -> None:
        for outcome in run_many(specs, run, jobs=1):
            outcomes.append(outcome)
            if len(outcomes) == 1:
                threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        collect()
    assert [(outcome.is_done, outcome.error) for outcome in outcomes] == [(True, None), (False, None), (False, None)]
