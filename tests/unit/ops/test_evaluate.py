from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ops.evaluate import EvaluateOptions, default_controls, run_evaluate, table, via_row
from ops.evaluate_runs import EvaluateRun, EvaluateSpec, Via, busiest_period, protocol_of
from ops.keys import DICTIONARY
from ops.scenario_folder import open_scenario
from ops.via_controls import PLAN_LEVEL
from sim.ensemble import Outcome
from sim.episode import Episode, Seed
from sim.lamp_history import LampFaults
from sim.measures import Measures
from sim.protocols import LEGACY, LEGACY_FAST, SAFE
from tests.unit.control.fakes import make_network
from traffic.demand import FlowProfile
from traffic.errors import BadInput, BadScenario, PlantLost
from traffic.scenario import Scenario


def make_run(control: str, seed: int, delay_s: float) -> EvaluateRun:
    measures = Measures(
        delay_s=delay_s,
        delay_resco_s=delay_s - 1.0,
        trip_time_s=60.0,
        wait_s=20.0,
        stops=1.0,
        queue_veh=4.0,
        vehicles=100,
        arrived=90,
        running=8,
        not_departed=2,
        teleports=0,
        collisions=0,
    )
    faults = LampFaults(direct_green_to_red=1)
    episode = Episode(seed=Seed(driver=seed), measures=measures, faults=faults, longest_red_s=60.0 + seed, cpu_s=2.0)
    return EvaluateRun(control=control, episode=episode)


def make_via(control: str, seed: int, delay_s: float, direct_s: float) -> EvaluateRun:
    direct = make_run(control, seed, direct_s).episode
    via = Via(direct=direct, pushed=2, confirmed=1, rounded_phases=3)
    return replace(make_run(control, seed, delay_s), via=via)


def make_scenario(name: str) -> Scenario:
    return Scenario(name=name, title=name, folder=Path(), network=Path("n"), routes=(Path("r"),))


def test_rows_have_mean_interval_worst_and_the_paired_difference() -> None:
    first = [make_run("static", seed, delay) for seed, delay in enumerate((40.0, 42.0, 44.0))]
    second = [make_run("greedy", seed, delay) for seed, delay in enumerate((37.0, 40.0, 40.0))]
    static, greedy = table({"static": first, "greedy": second})
    assert (static["delay_s"], static["delay_worst_s"], static["difference_s"]) == (42.0, 44.0, 0.0)
    assert static["delay_ci95_s"] == pytest.approx([37.03, 46.97], abs=0.01)
    assert greedy["difference_s"] == pytest.approx(-3.0)
    assert greedy["difference_ci95_s"] == pytest.approx([-5.48, -0.52], abs=0.01)
    assert greedy["seeds_to_settle"] == 4
    assert (greedy["direct_green_to_red"], greedy["not_departed"], greedy["cpu_s"]) == (3, 2.0, 2.0)
    assert greedy["longest_red_s"] == 62.0, "the worst seed's"


def test_the_loss_is_paired_by_seed_and_positive_where_the_controllers_are_worse() -> None:
    runs = [make_via("webster", seed, 40.0 + 10 * seed + loss, 40.0 + 10 * seed) for seed, loss in enumerate((1, 2, 3))]
    row = via_row(runs)
    assert (row["via"], row["direct_delay_s"], row["loss_s"]) == ("controller", 50.0, 2.0)
    assert row["loss_ci95_s"] == pytest.approx([-0.48, 4.48], abs=0.01)
    assert (row["plans_pushed"], row["plans_confirmed"], row["rounded_phases"]) == (6, 3, 3)
    assert via_row([make_run("webster", 0, 40.0)]) == {}


def test_only_seeds_that_both_have_are_paired() -> None:
    first = [make_run("static", seed, 40.0 + seed) for seed in range(3)]
    (_, greedy) = table({"static": first, "greedy": [make_run("greedy", 2, 30.0)]})
    assert greedy["difference_s"] == -12.0
    assert greedy["seeds_to_settle"] is None


BAD = {
    "unknown control": ({"controls": ("static", "magic")}, "magic"),
    "no control": ({"controls": ()}, "none"),
    "twice": ({"controls": ("static", "static")}, "each once"),
    "safe row under legacy": ({"controls": ("static_safe",), "protocol": "legacy"}, "static_safe"),
    "protocol": ({"protocol": "fast"}, "legacy or safe"),
    "way": ({"via": "air"}, "direct or controller"),
    "no plan head": ({"via": "controller", "controls": ("greedy", "webster")}, "greedy .*static_safe, webster"),
    "controllers under legacy": ({"via": "controller", "protocol": "legacy"}, "--via controller: legacy .*safe"),
    "no seed": ({"seeds": 0}, "--seeds: 0"),
    "demand seed": ({"first_demand_seed": -1}, "--demand-seed: -1"),
    "no job": ({"jobs": 0}, "--jobs: 0"),
}


@pytest.mark.parametrize(("changes", "says"), BAD.values(), ids=BAD.keys())
def test_bad_options_are_refused_before_anything_runs(changes: dict[str, object], says: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=says):
        run_evaluate("grid", EvaluateOptions(out=tmp_path, **changes))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_controls_by_default_can_be_run_the_way_that_is_asked_for() -> None:
    assert default_controls("direct") == EvaluateOptions().controls
    assert set(default_controls("controller")) == set(PLAN_LEVEL)


@pytest.mark.parametrize("name", ["../grid", "nowhere", " ", "/"])
def test_a_scenario_that_is_none_is_named(name: str) -> None:
    with pytest.raises(BadScenario):
        open_scenario(name)


def test_the_published_protocol_of_the_arterial_is_faster() -> None:
    assert protocol_of("legacy", make_scenario("arterial4x4")) is LEGACY_FAST
    assert protocol_of("legacy", make_scenario("cologne1")) is LEGACY
    assert protocol_of("safe", make_scenario("arterial4x4")) is SAFE


def test_plans_are_designed_for_the_busiest_quarter_of_an_hour() -> None:
    network = make_network()
    flows = dict.fromkeys(network.movements, (100.0, 300.0, 200.0))
    profile = FlowProfile(begin_s=0.0, period_s=900.0, flows_vph=flows, approach_of={})
    assert set(busiest_period(network, profile).values()) == {300.0}


def make_folder(folder: Path) -> str:
    """A scenario that can be opened; what would run it is replaced in these tests."""
    for name in ("net.xml", "rou.xml"):
        (folder / name).write_text("<x/>", encoding="utf-8")
    lines = ["version = 1", 'name = "small"', 'title = "small"', 'network = "net.xml"', 'routes = ["rou.xml"]']
    (folder / "scenario.toml").write_text("\n".join([*lines, "begin_s = 0", "end_s = 60"]), encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize("end", [KeyboardInterrupt(), PlantLost("worker process", "killed")], ids=["Ctrl-C", "death"])
def test_what_was_done_before_the_end_is_kept_and_marked(
    end: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(specs: Sequence[EvaluateSpec], *_: object, **__: object) -> Iterator[Outcome[EvaluateSpec, EvaluateRun]]:
        yield Outcome(spec=specs[0], result=make_run("static", 0, 40.0))
        if isinstance(end, KeyboardInterrupt):
            raise end
        yield Outcome(spec=specs[1], error=end)  # type: ignore[arg-type]

    monkeypatch.setattr("ops.evaluate.run_many", broken)
    out = tmp_path / "out"
    with pytest.raises(type(end)):
        run_evaluate(make_folder(tmp_path), EvaluateOptions(controls=("static", "greedy"), seeds=1, out=out))
    (path,) = out.iterdir()
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["partial"] is True
    assert [(row["control"], row["delay_s"]) for row in record["rows"]] == [("static", 40.0)]


def test_runs_of_one_seed_come_together_and_share_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[EvaluateSpec] = []

    def fake(specs: Sequence[EvaluateSpec], *_: object, **__: object) -> Iterator[Outcome[EvaluateSpec, EvaluateRun]]:
        for spec in specs:
            seen.append(spec)
            yield Outcome(spec=spec, result=make_run(spec.control, spec.seed.driver, 40.0))

    monkeypatch.setattr("ops.evaluate.run_many", fake)
    options = EvaluateOptions(
        controls=("static", "greedy"), seeds=2, first_seed=7, first_demand_seed=100, out=tmp_path / "out"
    )
    result = run_evaluate(make_folder(tmp_path), options)
    assert [(s.control, s.seed.driver, s.seed.demand) for s in seen] == [
        ("static", 7, 100),
        ("greedy", 7, 100),
        ("static", 8, 101),
        ("greedy", 8, 101),
    ]
    assert len({s.folder for s in seen}) == 4
    assert result["partial"] is False


def test_every_key_stands_in_the_data_dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ops.evaluate.run_many",
        lambda specs, *_, **__: [Outcome(spec=s, result=make_run(s.control, 0, 40.0)) for s in specs],
    )
    result = run_evaluate(make_folder(tmp_path), EvaluateOptions(controls=("static",), seeds=1, out=tmp_path / "out"))
    names = {key.name for key in DICTIONARY if key.command == "evaluate"}
    shown = {name for name in result if name != "rows"} | {f"rows[].{name}" for name in result["rows"][0]}
    added = {f"rows[].{name}" for name in via_row([make_via("static", 0, 40.0, 38.0)])}
    assert shown | added == names
    assert not shown & added
