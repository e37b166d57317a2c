"""What the report says, and that it says unknown where nothing is known."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from math import isnan, nan
from pathlib import Path

import pytest

from ops.report import headline, render_report, write_report
from ops.report_data import DELAY, CountRow, DemoResult, Measure, PushRow
from ops.report_file import read_result, write_result
from ops.report_words import MEASURES, TEXT, UNKNOWN, clock, level_of_service, number, origin
from tests.unit.ops.report_factory import make_facts, make_result, make_street, make_timings
from traffic.errors import BadInput
from traffic.ids import JunctionId, MovementId
from traffic.network import Network


@pytest.fixture(scope="module")
def result() -> DemoResult:
    network = make_street()
    return make_result(network, make_timings(network), make_facts())


@pytest.fixture(scope="module")
def small() -> DemoResult:
    network = make_street(1)
    timings = make_timings(make_street(2))[:1]
    return make_result(network, timings, make_facts(n_seeds=3))


@pytest.fixture(scope="module")
def page(result: DemoResult) -> str:
    return render_report(result)


class Tags(HTMLParser):
    """Collects ids, what is loaded from elsewhere, and tags left open."""

    VOID = frozenset({"meta", "link", "input", "br", "use", "path", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.hrefs: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [values["id"]] if values.get("id") else []  # type: ignore[list-item]
        self.loads += [str(values[name]) for name in ("src", "srcset", "data") if name in values]
        self.hrefs += [str(value) for name, value in attrs if name in ("href", "xlink:href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_one_sound_file_that_loads_nothing(page: str) -> None:
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.loads == []
    assert all(href.startswith("#") or href == "data:," for href in tags.hrefs)
    assert {href[1:] for href in tags.hrefs if href.startswith("#")} <= set(tags.ids)
    assert len(tags.ids) == len(set(tags.ids))
    assert "<script" not in page
    assert len(page.encode()) < 3_000_000


def test_every_section_has_its_chart(page: str) -> None:
    labels = re.findall(r'role="img" aria-label="([^"]+)"', page)
    for key in ("effect", "map", "corridor", "candidates", "counts", "fit"):
        assert " · ".join(TEXT[key]) in labels
    assert labels.count(" · ".join(TEXT["rings"])) == labels.count(" · ".join(TEXT["lamps"])) == 3


def test_every_sentence_stands_in_both_languages(page: str) -> None:
    assert page.count('lang="en">') > 100
    assert page.count('class="en"') == page.count('class="vi"')
    assert all(english and vietnamese and english != vietnamese for english, vietnamese in TEXT.values())
    assert all(english != vietnamese for english, vietnamese, _, _ in MEASURES.values())


def test_the_same_result_gives_the_same_page(small: DemoResult) -> None:
    assert render_report(small) == render_report(small)


def test_schematic_and_partial_results_say_so(small: DemoResult, page: str) -> None:
    assert TEXT["schematic"][0] in page and TEXT["schematic"][1] in page
    assert TEXT["partial"][0] not in page
    real = replace(small, facts=replace(small.facts, is_schematic=False), is_complete=False)
    other = render_report(real)
    assert TEXT["schematic"][0] not in other
    assert TEXT["partial"][1] in other


def test_text_from_a_scenario_is_escaped(small: DemoResult) -> None:
    evil = replace(small.facts, title="<script>alert(1)</script>", command="a & b")
    text = render_report(replace(small, facts=evil))
    assert "<script" not in text
    assert "a &amp; b" in text


def delays(result: DemoResult, before: tuple[float, ...], after: tuple[float, ...]) -> DemoResult:
    return replace(result, measures=(Measure(key=DELAY, before=before, after=after),))


@pytest.mark.parametrize(
    ("before", "after", "kind", "words"),
    [
        ((60.0, 62.0, 61.0), (50.0, 53.0, 51.0), "better", "the improvement is settled"),
        ((50.0, 53.0, 51.0), (60.0, 62.0, 61.0), "worse", "made things worse"),
        ((50.0, 53.0, 51.0), (40.0, 62.0, 51.0), "open", "contains 0: not settled"),
        ((nan, nan, nan), (1.0, 2.0, 3.0), "no_delay", "The delay is unknown"),
        ((50.0, nan, 51.0), (), "no_delay", "The delay is unknown"),
    ],
)
def test_headline_says_what_is_settled(
    result: DemoResult, before: tuple[float, ...], after: tuple[float, ...], kind: str, words: str
) -> None:
    found = headline(delays(result, before, after))
    assert found.kind == kind
    assert words in found.sentence


def kept(result: DemoResult) -> DemoResult:
    timings = tuple(replace(timing, new=None) for timing in result.timings)
    return replace(delays(result, (50.0, 52.0), ()), timings=timings, pushes=())


def test_keeping_the_old_plan_is_a_result(small: DemoResult) -> None:
    old = kept(small)
    assert headline(old).kind == "kept"
    text = render_report(old)
    assert "The old plan was kept" in text and "Giữ nguyên phương án cũ" in text
    assert "No plan was sent." in text
    row = old.as_json_row()
    assert (row["delay_before_s"], row["delay_after_s"], row["delay_change_pct"]) == (51.0, 51.0, 0.0)
    assert row["delay_change_ci95_pct"] == [0.0, 0.0]
    assert row["readback_equal"] is None


def test_an_empty_result_still_makes_a_report(small: DemoResult) -> None:
    facts = replace(small.facts, commit="", command="")
    bare = DemoResult(facts=facts, network=small.network, timings=small.timings)
    text = render_report(bare)
    assert TEXT["nothing"][1] in text
    assert UNKNOWN in text
    assert isnan(bare.as_json_row()["delay_before_s"])
    assert isnan(bare.as_json_row()["count_abs_error_pct"])


def test_json_row_by_hand(result: DemoResult) -> None:
    counts = [
        CountRow(
            junction=JunctionId("j0"), movement=MovementId("m"), period_s=900.0, historic_veh=None, counted_veh=counted,
            true_veh=true,
        )
        for counted, true in ((90.0, 100.0), (55.0, 50.0), (None, 70.0), (10.0, None))
    ]  # fmt: skip
    some = replace(delays(result, (60.0, 62.0, 64.0), (57.0, 60.0, 60.0)), counts=tuple(counts))
    row = some.as_json_row(Path("report.html"))
    assert row["count_abs_error_pct"] == pytest.approx(10.0)  # (10 + 5) / 150
    assert row["delay_change_pct"] == pytest.approx(-100.0 * 3.0 / 62.0)
    assert row["delay_change_ci95_pct"] == pytest.approx([-100.0 * 5.484 / 62.0, -100.0 * 0.516 / 62.0], abs=0.01)
    assert isnan(row["delay_log_change_pct"])
    # Six seeds, two of three junctions got a plan; one push was refused.
    assert (row["seeds"], row["plans_pushed"], row["plans_refused"], row["readback_equal"]) == (6, 12, 1, True)
    assert row["report"] == "report.html"


def test_one_unequal_readback_shows(result: DemoResult) -> None:
    first: PushRow = replace(result.pushes[0], is_readback_equal=False)
    assert replace(result, pushes=(first, *result.pushes[1:])).as_json_row()["readback_equal"] is False


def test_geh_of_a_count_by_hand() -> None:
    row = CountRow(
        junction=JunctionId("a"), movement=MovementId("m"), period_s=1800.0, historic_veh=550.0, counted_veh=None,
        true_veh=500.0,
    )  # fmt: skip
    assert row.geh_historic == pytest.approx(3.086, abs=1e-3)  # 1100 against 1000 veh/h
    assert isnan(row.geh_counted)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, UNKNOWN), (nan, UNKNOWN), (0.0, "0.0"), (-0.04, "0.0"), (-7.25, "−7.2"), (1234.5, "1234.5")],
)
def test_numbers_are_written_with_unknown_apart_from_zero(value: float | None, text: str) -> None:
    assert number(value) == text


def test_words_of_place_time_and_service() -> None:
    origins = [origin(bearing) for bearing in (0.0, 90.0, 180.0, 270.0, 359.0)]
    assert origins == ["S·Nam", "W·Tây", "N·Bắc", "E·Đông", "S·Nam"]
    assert (clock(0.0), clock(25261.3), clock(nan)) == ("00:00:00", "07:01:01.3", UNKNOWN)
    assert [level_of_service(s) for s in (9.9, 10.1, 20.1, 35.1, 55.1, 80.1, nan)] == [*"ABCDEF", ""]


def saved(tmp_path: Path) -> tuple[Path, DemoResult, Network]:
    network_file = tmp_path / "street.net.xml"
    network_file.write_text("<net/>", encoding="utf-8")
    network = make_street(1)
    made = make_result(network, make_timings(network), make_facts(network_file))
    write_result(tmp_path / "result.json", made)
    return tmp_path / "result.json", made, network


def test_a_report_can_be_made_again_from_its_file(tmp_path: Path) -> None:
    path, made, network = saved(tmp_path)
    again = read_result(path, lambda _: network)
    assert again.timings == made.timings
    assert again.facts == made.facts
    write_report(tmp_path / "a.html", made)
    write_report(tmp_path / "b.html", again)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"version": 1', '"version": 9', "version"),
        ('"measures"', '"measurements"', "Extra inputs are not permitted"),
        ('"seeds":', '"seeds_":', "seeds"),
        ("{", "", "Invalid JSON"),
    ],
)
def test_a_spoilt_file_is_one_clear_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    path, _, network = saved(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadInput, match=words):
        read_result(path, lambda _: network)


def test_a_network_that_changed_or_went_is_refused(tmp_path: Path) -> None:
    path, _, network = saved(tmp_path)
    (tmp_path / "street.net.xml").write_text("<net></net>", encoding="utf-8")
    with pytest.raises(BadInput, match="changed since the run"):
        read_result(path, lambda _: network)
    (tmp_path / "street.net.xml").unlink()
    with pytest.raises(BadInput, match="is not there"):
        read_result(path, lambda _: network)
    with pytest.raises(BadInput, match=r"result\.json"):
        read_result(tmp_path / "none.json", lambda _: network)
