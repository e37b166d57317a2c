from __future__ import annotations

from math import isnan, nan

from ops.plan_verdict import INSTALLED, Candidate, candidate_rows, choose

SEARCH = Candidate(name="search-1", junctions={}, plans={}, core_delay_s=20.0)
OTHER = Candidate(name="search-2", junctions={}, plans={}, core_delay_s=21.0)
OLD = Candidate(name=INSTALLED, junctions={}, plans={})
HARDLY = (30.0, 34.0, 31.0, 33.0)


def test_sumo_and_not_the_queue_model_has_the_last_word() -> None:
    delays_s = {"search-1": (28.0, 29.0, 28.0), "search-2": (25.0, 25.5, 25.0), INSTALLED: (40.0, 41.0, 40.0)}
    verdict = choose([SEARCH, OTHER, OLD], delays_s)
    assert verdict.chosen == "search-2"
    assert verdict.against_installed is not None
    assert verdict.against_installed.high < 0.0


def test_the_installed_plan_stays_where_nothing_is_settled_to_be_better() -> None:
    verdict = choose([SEARCH, OLD], {"search-1": HARDLY, INSTALLED: (31.0, 33.0, 34.0, 32.0)})
    assert verdict.chosen == INSTALLED
    assert "stays" in verdict.why


def test_the_installed_plan_stays_where_it_is_the_best() -> None:
    assert choose([SEARCH, OLD], {"search-1": (31.0, 32.0), INSTALLED: (30.0, 31.0)}).chosen == INSTALLED


def test_who_is_out_after_the_first_heat_cannot_win() -> None:
    delays_s = {"search-1": (10.0, nan), "search-2": (25.0, 25.5), INSTALLED: (40.0, 40.5)}
    assert choose([SEARCH, OTHER, OLD], delays_s).chosen == "search-2"


def test_without_a_legal_installed_plan_the_best_one_is_taken() -> None:
    verdict = choose([SEARCH, OTHER], {"search-1": (30.0, 31.0), "search-2": (29.0, 31.5)})
    assert verdict.chosen == "search-2"
    assert verdict.against_installed is None


def test_without_sumo_the_first_one_is_taken_and_it_is_said() -> None:
    verdict = choose([SEARCH, OLD], {})
    assert (verdict.chosen, verdict.why) == ("search-1", "not verified in SUMO")


def test_unknown_delays_are_no_zeros() -> None:
    rows = candidate_rows([SEARCH, OLD], {})
    assert all(isnan(row["delay_s"]) and isnan(row["delay_worst_s"]) and isnan(row["difference_s"]) for row in rows)
