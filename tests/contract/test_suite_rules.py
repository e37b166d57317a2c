"""The suite's own rules, tried on small suites: nothing is skipped, real data only on request, warnings are errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
SKIPS = {
    "in the test": "import pytest\ndef test_it(): pytest.skip('tired')",
    "by a mark": "import pytest\n@pytest.mark.skip(reason='tired')\ndef test_it(): pass",
    "by a condition": "import pytest\n@pytest.mark.skipif(True, reason='tired')\ndef test_it(): pass",
    "by a failure that is expected": "import pytest\n@pytest.mark.xfail(reason='tired')\ndef test_it(): assert False",
    "in a fixture": "import pytest\n@pytest.fixture\ndef f(): pytest.skip('tired')\ndef test_it(f): pass",
    "of a module": "import pytest\npytest.skip('tired', allow_module_level=True)\ndef test_it(): pass",
    "for want of a module": "import pytest\npytest.importorskip('no_such_module_tired')\ndef test_it(): pass",
}
DATA = "import pytest\n@pytest.mark.data\ndef test_real(data_dir): assert data_dir.is_dir()\ndef test_it(): pass"


def run_suite(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a suite of one file under our conftest and our settings."""
    (folder / "tests").mkdir()
    (folder / "tests" / "conftest.py").write_bytes((TESTS / "conftest.py").read_bytes())
    (folder / "tests" / "test_small.py").write_text(source)
    (folder / "pyproject.toml").write_bytes((TESTS.parent / "pyproject.toml").read_bytes())
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(folder / "tests")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("source", SKIPS.values(), ids=SKIPS)
def test_a_skip_fails_the_run_and_is_named(tmp_path: Path, source: str) -> None:
    done = run_suite(tmp_path, source)
    assert done.returncode in (1, 2)
    assert "test_small.py" in done.stdout and "nothing may be skipped" in done.stdout and "tired" in done.stdout
    assert " skipped" not in done.stdout.splitlines()[-1]


def test_a_test_on_real_data_is_left_out_without_data(tmp_path: Path) -> None:
    done = run_suite(tmp_path, DATA)
    assert done.returncode == 0
    assert "1 passed, 1 deselected" in done.stdout


def test_a_test_on_real_data_runs_with_data(tmp_path: Path) -> None:
    done = run_suite(tmp_path, DATA, f"--data={tmp_path}")
    assert (done.returncode, "2 passed" in done.stdout) == (0, True)


def test_a_data_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = run_suite(tmp_path, DATA, "--data=/no/such/folder")
    assert done.returncode == 4
    assert "--data: /no/such/folder" in done.stderr


def test_data_without_its_mark_fails(tmp_path: Path) -> None:
    done = run_suite(tmp_path, "def test_it(data_dir): pass")
    assert done.returncode == 1
    assert "pytest.mark.data" in done.stdout


def test_a_warning_is_an_error(tmp_path: Path) -> None:
    done = run_suite(tmp_path, "import warnings\ndef test_it(): warnings.warn('careful')")
    assert done.returncode == 1
    assert "careful" in done.stdout
