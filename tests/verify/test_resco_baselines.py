"""RESCO's networks: programs second by second, and static baselines as measured before on SUMO 1.28.

The expected delays are those of notes/signal-control.md (means of 3 seeds on SUMO 1.28.0); the bounds are the seed
noise seen there and here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.episode import Seed, prepare, run_native
from sim.network import read_network
from sim.programs import program_of_plan, read_signals
from sim.protocols import LEGACY
from sim.sumocfg import open_folder

pytestmark = pytest.mark.data

NETWORKS = [
    *(f"resco/{name}/{name}.net.xml" for name in ("arterial4x4", "cologne1", "cologne3", "grid4x4")),
    *(f"resco/{name}/{name}.net.xml" for name in ("ingolstadt1", "ingolstadt7")),
    "vietnam/hanoi/hanoi.net.xml.gz",
    "vietnam/hcmc/Nga6NguyenThaiSon.net.xml.gz",
    "vietnam/hcmc/quangtrung.net.xml.gz",
]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_program_comes_back_from_the_model_second_by_second(data_dir: Path, name: str) -> None:
    path = data_dir / name
    signals = read_signals(path, read_network(path))
    assert not any(signals.losses.values())
    for junction, program in signals.programs.items():
        again = program_of_plan(signals.junctions[junction], signals.plans[junction])
        times = [25_211.0 + second for second in range(2 * int(program.cycle_s))]
        assert [again.lamps_at(t) for t in times] == [program.lamps_at(t) for t in times]


@pytest.mark.parametrize(
    ("name", "delay_s", "noise_s"),
    [
        pytest.param("cologne1", 42.9, 2.0, id="cologne1"),
        pytest.param("ingolstadt1", 29.3, 2.0, id="ingolstadt1"),
    ],
)
def test_the_static_baseline_is_the_published_one_within_seed_noise(
    data_dir: Path, tmp_path: Path, name: str, delay_s: float, noise_s: float
) -> None:
    scenario = open_folder(data_dir / "resco" / name)
    delays = []
    for seed in (1, 2, 3):
        found = run_native(prepare(scenario, Seed(driver=seed), LEGACY, tmp_path / str(seed))).measures
        assert found.arrived + found.running + found.not_departed == found.vehicles
        delays.append(found.delay_s)
    assert sum(delays) / len(delays) == pytest.approx(delay_s, abs=noise_s)
