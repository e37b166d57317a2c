"""The report of a demo: one HTML file that needs nothing else, in English and Vietnamese."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite, nan
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ops.judge import KEEP
from ops.report_charts import GEH_GOOD, before_after_chart, candidates_chart, counts_chart, fit_chart
from ops.report_corridor import corridor_chart
from ops.report_data import DELAY, DemoResult, JunctionTiming, LogRow, PushRow
from ops.report_file import ROOT, from_root, read_result
from ops.report_map import map_chart
from ops.report_signals import LAMP_COLOURS, coordinated_phases, lamp_chart, phase_turns, ring_chart
from ops.report_words import (
    UNKNOWN,
    clock,
    level_of_service,
    measure_digits,
    measure_name,
    measure_unit,
    number,
    origin,
    text,
    turn_arrows,
)
from ops.statistics import mean_interval, paired_difference
from traffic.ids import JunctionId, LinkId
from traffic.signals import Plan

SECTIONS = ("result", "effect", "map", "timings", "corridor", "candidates", "counts", "fit", "pushes", "again")
LAMP_KEY = (("green", "G"), ("yields", "g"), ("yellow", "y"), ("red", "r"), ("turn_on_red", "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The result in one box: numbers and a sentence; `kind` is better, worse, open, kept or no_delay."""

    kind: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    sentence: Markup


def write_report(path: Path, result: DemoResult) -> None:
    """Write the report of a demo as one self-contained HTML file."""
    path.write_text(render_report(result), encoding="utf-8")


def run_report(result_file: Path, out: Path | None = None) -> dict[str, Any]:
    """Make the report of a saved result again, beside it unless `out` says otherwise.

    Raises
    ------
    BadInput
        If the file is not a result, or its network is gone or has changed.
    """
    from sim.network import read_network

    result = read_result(result_file, read_network)
    path = out or result_file.with_suffix(".html")
    write_report(path, result)
    return {"report": str(path), "scenario": result.facts.scenario}


def render_report(result: DemoResult) -> str:
    """Return the whole page."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    page = environment.get_template("report.html.j2")
    charts = {
        "effect": before_after_chart(result),
        "map": map_chart(result),
        "corridor": corridor_chart(result),
        "candidates": candidates_chart(result.candidates),
        "counts": counts_chart(result.counts),
        "fit": fit_chart(result.fit),
    }
    return page.render(
        **_words(result),
        result=result,
        facts=result.facts,
        charts={name: Markup(svg) for name, svg in charts.items()},
        sections=[(key, key) for key in SECTIONS if key != "corridor" or charts["corridor"]],
        headline=headline(result),
        measures=_measures(result),
        approaches=_approaches(result),
        has_queues=any(isfinite(row.queue_before_m) or isfinite(row.queue_after_m) for row in result.approaches),
        timings=[_timing(result, timing, place) for place, timing in enumerate(result.timings, start=1)],
        candidates=_candidates(result),
        counts=_counts(result),
        fit=result.fit,
        geh_share=_geh_shares(result),
        runs=_runs(result),
        again=_again(result),
    )


def _words(result: DemoResult) -> dict[str, Any]:
    """Return the functions and tables that the template writes with."""
    return {
        "t": text,
        "number": number,
        "unknown": UNKNOWN,
        "clock": clock,
        "los": level_of_service,
        "names": lambda junction: _junction_name(result, junction),
        "lamp_key": [(key, LAMP_COLOURS[letter]) for key, letter in LAMP_KEY],
        "speed_kmh": f"{result.speed_mps * 3.6:.0f}",
    }


def headline(result: DemoResult) -> Headline:
    """Return what the delay did, and whether that is settled."""
    measure = result.measure(DELAY)
    if measure is None or not isfinite(measure.before_mean):
        return Headline(
            kind="no_delay", before=nan, after=nan, difference=nan, low=nan, high=nan, sentence=text("no_delay")
        )
    paired = measure.paired
    if paired is None:
        is_kept, before = result.is_kept, measure.before_mean
        sentence = text("kept", before=number(before)) if is_kept else text("no_delay")
        same = (before, 0.0) if is_kept else (nan, nan)
        return Headline(
            kind="kept" if is_kept else "no_delay", before=before, after=same[0], difference=same[1], low=same[1],
            high=same[1], sentence=sentence,
        )  # fmt: skip
    kind = "open" if not paired.is_settled else "better" if paired.difference < 0.0 else "worse"
    values = {
        "before": number(paired.before),
        "after": number(paired.after),
        "pct": number(paired.change_pct, sign=True),
        "low": number(paired.low, sign=True),
        "high": number(paired.high, sign=True),
        "seeds": str(paired.seeds_to_settle or UNKNOWN),
    }
    return Headline(
        kind=kind, before=paired.before, after=paired.after, difference=paired.difference, low=paired.low,
        high=paired.high, sentence=text(kind, **values),
    )  # fmt: skip


def _measures(result: DemoResult) -> list[dict[str, Any]]:
    rows = []
    for measure in result.measures:
        paired = measure.paired
        pct = number(paired.change_pct, sign=True) if paired and isfinite(paired.change_pct) else ""
        rows.append(
            {
                "name": measure_name(measure.key),
                "unit": measure_unit(measure.key),
                "digits": measure_digits(measure.key),
                "before": paired.before if paired else measure.before_mean,
                "after": paired.after if paired else measure.after_mean,
                "paired": paired,
                "is_settled": paired.is_settled if paired and isfinite(paired.low) else None,
                "pct": pct,
                "n_before": sum(map(isfinite, measure.before)),
            }
        )
    return rows


def _junction_name(result: DemoResult, junction: JunctionId) -> str:
    crossing = result.network.crossings.get(junction)
    return crossing.name if crossing and crossing.name else str(junction)


def _road_name(result: DemoResult, link: LinkId) -> str:
    road = result.network.links.get(link)
    return road.name if road and road.name else str(link)


def _origin(result: DemoResult, junction: JunctionId, link: LinkId) -> str:
    crossing = result.network.crossings.get(junction)
    approaches = crossing.approaches if crossing else ()
    return next((origin(approach.bearing_deg) for approach in approaches if approach.link == link), UNKNOWN)


def _approaches(result: DemoResult) -> list[dict[str, Any]]:
    return [
        {
            "data": row,
            "junction": _junction_name(result, row.junction),
            "origin": _origin(result, row.junction, row.approach),
            "road": _road_name(result, row.approach),
        }
        for row in result.approaches
    ]


def _timing(result: DemoResult, timing: JunctionTiming, place: int) -> dict[str, Any]:
    serves = phase_turns(result.network, timing.junction)
    shown = timing.new or timing.old
    coordinated = coordinated_phases(timing.junction, shown)
    phases = [
        {
            "number": phase.number,
            "is_coordinated": phase.number in coordinated,
            "serves": serves[phase.number],
            "old_s": _split_s(timing.old, phase.number),
            "new_s": _split_s(shown, phase.number),
            "old_green_s": _split_s(timing.old, phase.number) - phase.clearance_ds / 10.0,
            "new_green_s": _split_s(shown, phase.number) - phase.clearance_ds / 10.0,
            "yellow_s": phase.yellow_ds / 10.0,
            "red_clear_s": phase.red_clear_ds / 10.0,
            "min_split_s": nan if phase.has_unknown_pedestrians else phase.min_split_s,
        }
        for phase in timing.junction.phases
    ]
    return {
        "name": _junction_name(result, timing.junction.id),
        "old": timing.old,
        "new": timing.new,
        "shown": shown,
        "phases": phases,
        "rings": Markup(ring_chart(timing, f"rings{place}")),
        "lamps": Markup(lamp_chart(result.network, timing, f"lamps{place}")),
    }


def _split_s(plan: Plan, phase: int) -> float:
    return next((float(split.split_s) for split in plan.split.splits if split.phase == phase), nan)


def _candidates(result: DemoResult) -> list[dict[str, Any]]:
    keep = next((row for row in result.candidates if row.name == KEEP), None)
    rows = []
    for row in result.candidates:
        can_compare = keep is not None and row is not keep and len(row.delays_s) == len(keep.delays_s) > 0
        paired = paired_difference(keep.delays_s, row.delays_s) if keep and can_compare else None
        rows.append({"data": row, "delay": mean_interval(row.delays_s)[0], "paired": paired})
    return rows


def _counts(result: DemoResult) -> list[dict[str, Any]]:
    rows = []
    for row in result.counts:
        movement = result.network.movements.get(row.movement)
        place = str(row.movement)
        if movement:
            place = f"{_origin(result, row.junction, movement.approach)} {turn_arrows(movement.direction)}"
        rows.append(
            {
                "data": row,
                "junction": _junction_name(result, row.junction),
                "movement": place,
                "historic": row.flow_vph(row.historic_veh),
                "counted": row.flow_vph(row.counted_veh),
                "true": row.flow_vph(row.true_veh),
                "mark_historic": _mark(row.geh_historic),
                "mark_counted": _mark(row.geh_counted),
            }
        )
    return rows


def _mark(geh: float) -> str:
    return "" if not isfinite(geh) else " good" if geh < GEH_GOOD else " bad"


def _geh_shares(result: DemoResult) -> Mapping[str, str]:
    """Return shares such as "34/36" of the known movements."""
    return {
        "counted": _share(row.geh_counted for row in result.counts),
        "historic": _share(row.geh_historic for row in result.counts),
        "used": _share(row.geh for row in result.fit if not row.is_held_out),
        "held_out": _share(row.geh for row in result.fit if row.is_held_out),
    }


def _share(values: Iterable[float]) -> str:
    known = [value for value in values if isfinite(value)]
    return f"{sum(value < GEH_GOOD for value in known)}/{len(known)}" if known else UNKNOWN


def _runs(result: DemoResult) -> list[tuple[int, Sequence[PushRow], Sequence[LogRow]]]:
    """Return pushes and log per seed, in order of time."""
    pushes = _by_seed(result.pushes)
    log = _by_seed(result.log)
    return [(seed, pushes.get(seed, []), log.get(seed, [])) for seed in sorted({*pushes, *log})]


def _by_seed(rows: Sequence[Any]) -> dict[int, list[Any]]:
    ordered = sorted(rows, key=lambda row: (row.seed, row.time_s))
    return {seed: list(group) for seed, group in groupby(ordered, key=lambda row: row.seed)}


def _again(result: DemoResult) -> list[tuple[str, str]]:
    facts = result.facts
    return [
        ("scenario", facts.scenario),
        ("command", facts.command),
        ("commit", facts.commit),
        ("started", facts.started),
        ("wall", number(facts.wall_s) if isfinite(facts.wall_s) else ""),
        ("window", f"{clock(facts.begin_s)} – {clock(facts.end_s)}"),
        ("street_seeds", ", ".join(map(str, facts.seeds))),
        ("twin_seeds", ", ".join(map(str, facts.twin_seeds))),
        ("network_file", str(from_root(ROOT / facts.network_file))),
    ]
