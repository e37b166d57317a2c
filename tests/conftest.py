"""Rules of the whole suite: real data only on request, and nothing is ever skipped."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

NOTHING_SKIPPED = "nothing may be skipped or expected to fail"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--data", type=Path, default=None, metavar="DIR", help="folder with the real data")


def pytest_configure(config: pytest.Config) -> None:
    data = config.getoption("--data")
    if data is not None and not data.is_dir():
        raise pytest.UsageError(f"--data: {data} (a folder is needed); give the folder that holds resco/ and footage/")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests marked `data` where no data was given."""
    if config.getoption("--data") is not None:
        return
    kept = [item for item in items if item.get_closest_marker("data") is None]
    dropped = [item for item in items if item.get_closest_marker("data") is not None]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


@pytest.fixture(scope="session")
def data_dir(pytestconfig: pytest.Config) -> Path:
    """Return the folder given with `--data`; only tests marked `data` may ask for it."""
    data = pytestconfig.getoption("--data")
    if data is None:
        pytest.fail("a test that reads data_dir has to be marked @pytest.mark.data", pytrace=False)
    return Path(data).resolve()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip or an expected failure into a failure that names the test."""
    report = yield
    if report.skipped or hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} ({report.when}): {NOTHING_SKIPPED}: {report.longrepr}"
        if hasattr(report, "wasxfail"):
            del report.wasxfail
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a module that skips itself into a failure that names the module."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid}: {NOTHING_SKIPPED}: {report.longrepr}"
    return report
