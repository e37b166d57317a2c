"""The example of docs/queue-model.md works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_example_on_the_queue_models_page_prints_a_delay_and_arrivals(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "queue-model.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    exec(compile(code.group(1), "docs/queue-model.md", "exec"), {})
    delay_s, arrived = map(float, capsys.readouterr().out.split())
    assert 10.0 < delay_s < 300.0 and arrived > 1000.0
