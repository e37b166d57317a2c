"""What a benchmark runs: scenarios by name or from a folder of folders, controls as a protocol has them, seeds.

::

    control asked for       legacy      safe
    fixed, static           static      static_safe      as installed, or with the intergreens of the others
    actuated                actuated    actuated_safe
    any other               itself      itself
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.core_policy import UNIVERSAL
from ops.evaluate_runs import CONTROLS, PROTOCOLS, EvaluateSpec, protocol_of
from ops.scenario_folder import SCENARIOS, open_scenario
from sim.episode import Seed
from traffic.errors import BadInput, BadScenario
from traffic.scenario import Scenario

OWN = ("grid", "arterial", "thanh_hoa")
"""Our own networks, which everybody may have."""
FIXED = "fixed"
BOTH = "both"
DEFAULT_CONTROLS = (FIXED, "actuated", "greedy", "max_pressure", "mpc", UNIVERSAL)
NAMES = (FIXED, *CONTROLS)
_LEGACY = {FIXED: "static", "static_safe": "static", "actuated_safe": "actuated"}
_SAFE = {FIXED: "static_safe", "static": "static_safe", "actuated": "actuated_safe"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkOptions:
    """Options of a benchmark.

    Attributes
    ----------
    controls
        Names as above; differences are to the first.
    protocol
        legacy, safe or both.
    subject
        The control that the statements are about; without it the last policy among the controls, or their last.
    first_demand_seed
        0: the demand file as it is with every driver seed; above, run k has this + k.
    model
        The policy of the control `universal`, see `ops.evaluate`.
    out
        Folder of table, chart and result, and of every finished run, which is not run again.
    """

    controls: tuple[str, ...] = DEFAULT_CONTROLS
    protocol: str = BOTH
    seeds: int = 5
    first_demand_seed: int = 0
    subject: str | None = None
    jobs: int | None = None
    out: Path = Path("runs/benchmark")
    model: str = UNIVERSAL


def in_protocol(control: str, protocol: str) -> str:
    """Return the control that stands for a name under a protocol.

    Examples
    --------
    >>> in_protocol("actuated", "safe"), in_protocol("actuated_safe", "legacy")
    ('actuated_safe', 'actuated')
    """
    return (_SAFE if protocol == "safe" else _LEGACY).get(control, control)


def protocols_of(options: BenchmarkOptions) -> tuple[str, ...]:
    """Return the protocols that are run."""
    return PROTOCOLS if options.protocol == BOTH else (options.protocol,)


def subject_of(options: BenchmarkOptions) -> str:
    """Return the name of the control that the statements are about."""
    if options.subject is not None:
        return options.subject
    policies = [name for name in options.controls if name == UNIVERSAL]
    return (policies or list(options.controls))[-1]


def open_scenarios(names: Sequence[str]) -> list[Scenario]:
    """Return the scenarios of names, folders, and folders that hold scenario folders, in order.

    Raises
    ------
    BadInput
        If one cannot be read, is named twice, or has the name of another.
    """
    found = [open_scenario(name) for given in names for name in _scenarios_in(given)]
    counts = Counter(scenario.folder.resolve() for scenario in found)
    twice = [str(folder) for folder, count in counts.items() if count > 1]
    if twice:
        raise BadInput("SCENARIO", ", ".join(twice), "each once", "leave out what repeats")
    names_twice = [name for name, count in Counter(scenario.name for scenario in found).items() if count > 1]
    if names_twice:
        limit = "rows are told apart by the scenario's name"
        raise BadInput("SCENARIO", f"several with the name {', '.join(names_twice)}", limit, "run them one by one")
    return found


def _scenarios_in(given: str) -> Iterator[str]:
    """Yield the scenario folders in a folder that is none itself; else what was given."""
    folder = Path(given)
    is_ours = folder.name == given and (SCENARIOS / given).is_dir()
    if not given.strip() or is_ours or not folder.is_dir() or _is_scenario(folder):
        yield given
        return
    inner = [str(path) for path in sorted(folder.iterdir()) if path.is_dir() and _is_scenario(path)]
    if not inner:
        next_move = "name a scenario, or a folder of such folders"
        raise BadScenario(f"scenario {folder}", "no scenario.toml and no .sumocfg", "nor folders with one", next_move)
    yield from inner


def _is_scenario(folder: Path) -> bool:
    return (folder / "scenario.toml").is_file() or any(folder.glob("*.sumocfg"))


def specs_of(scenarios: Sequence[Scenario], options: BenchmarkOptions) -> list[EvaluateSpec]:
    """Return every run, scenario by scenario and seed by seed, so that what is interrupted has whole pairs."""
    first = options.first_demand_seed
    return [
        EvaluateSpec(
            scenario=scenario,
            control=in_protocol(control, protocol),
            protocol=protocol_of(protocol, scenario),
            seed=Seed(driver=k, demand=first + k if first else 0),
            folder=Path(),
            model=options.model,
        )
        for scenario in scenarios
        for protocol in protocols_of(options)
        for k in range(options.seeds)
        for control in options.controls
    ]
