"""The report in a real browser: what it shows, what it asks of the network (nothing), what its switch does."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path

import pytest

from ops.report import write_report
from ops.report_words import TEXT
from tests.unit.ops.report_factory import make_facts, make_result, make_street, make_timings

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr"),
)


def browse(page: Path, profile: Path, *options: str) -> tuple[str, str]:
    """Return stdout and stderr of headless Chromium on a page."""
    chromium = shutil.which("chromium")
    assert chromium, "no chromium; run: apt-get install -y chromium"
    run = subprocess.run(
        [chromium, *FLAGS, f"--user-data-dir={profile}", *options, page.as_uri()],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout, run.stderr


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    network = make_street(2)
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, make_result(network, make_timings(network), make_facts()))
    return path


def test_browser_shows_texts_and_charts_without_a_console_message(report: Path, tmp_path: Path) -> None:
    dom, log = browse(report, tmp_path / "profile", "--dump-dom")
    shown = unescape(dom)
    for key in ("schematic", "better", "effect", "map", "timings", "corridor", "candidates", "counts", "pushes"):
        for words in TEXT[key]:
            assert words.partition("{")[0] in shown
    assert dom.count("<svg") == 6 + 2 * 2
    assert "CONSOLE" not in log


def probe(report: Path, folder: Path, width: int, expression: str) -> str:
    """Return a JavaScript expression of the page's window `w`, evaluated in a frame of this width."""
    text = report.read_text(encoding="utf-8")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    frame = f"<iframe id='f' width='{width}' height='900' srcdoc='{escape(text)}'></iframe>"
    script = f"document.getElementById('f').onload=e=>{{const w=e.target.contentWindow;document.title={expression}}}"
    page = folder / "probe.html"
    head = "<!DOCTYPE html><meta charset='utf-8'><title>-</title>"
    page.write_text(f"{head}{frame}<script>{script}</script>", encoding="utf-8")
    dom, _ = browse(page, folder / "profile", "--dump-dom", f"--window-size={width + 100},1000")
    found = re.search(r"<title>(.*?)</title>", dom)
    assert found, dom[:300]
    return found[1]


def test_page_loads_nothing_even_where_it_may(report: Path, tmp_path: Path) -> None:
    expression = "'loaded:'+w.performance.getEntriesByType('resource').map(r=>r.name).join(' ')"
    assert probe(report, tmp_path, 1000, expression) == "loaded:"


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
def test_page_never_scrolls_sideways(report: Path, tmp_path: Path, width: int) -> None:
    """Charts and tables scroll in their own boxes."""
    expression = "w.document.documentElement.scrollWidth+' '+w.document.documentElement.clientWidth"
    needed, given = probe(report, tmp_path, width, expression).split()
    assert int(needed) <= int(given) <= width


def test_language_switch_hides_the_other_language(report: Path, tmp_path: Path) -> None:
    """Three choices, three pictures."""
    text = report.read_text(encoding="utf-8")
    shots: dict[str, bytes] = {}
    for name in ("both", "en", "vi"):
        page = tmp_path / f"{name}.html"
        page.write_text(text.replace(" checked ", " ").replace(f'id="{name}" ', f'id="{name}" checked '))
        picture = tmp_path / f"{name}.png"
        browse(page, tmp_path / f"profile_{name}", f"--screenshot={picture}", "--window-size=1200,1000")
        shots[name] = picture.read_bytes()
        assert len(shots[name]) > 20_000
    assert len(set(shots.values())) == 3
