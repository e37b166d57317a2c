from __future__ import annotations

from pathlib import Path

import pytest

from ops import provenance
from ops.provenance import commit, read_head

NAME = "0123456789abcdef0123456789abcdef01234567"


def git_folder(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"HEAD": f"{NAME}\n"}, NAME),
        ({"HEAD": "ref: refs/heads/main\n", "refs/heads/main": f"{NAME}\n"}, NAME),
        ({"HEAD": "ref: refs/heads/main\n", "packed-refs": f"# pack-refs\n{NAME} refs/heads/main\n"}, NAME),
        ({"HEAD": "ref: refs/heads/main\n", "packed-refs": f"{NAME} refs/heads/other\n"}, None),
        ({"HEAD": "ref: refs/heads/main\n"}, None),
        ({}, None),
    ],
    ids=["detached", "loose", "packed", "unborn", "empty", "no clone"],
)
def test_the_commit_is_read_from_the_clone_itself(tmp_path: Path, files: dict[str, str], expected: str | None) -> None:
    assert read_head(git_folder(tmp_path, files)) == expected


def test_without_git_the_commit_is_marked_as_not_known_to_be_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_folder(tmp_path, {".git/HEAD": NAME})
    monkeypatch.setattr(provenance, "_ROOT", tmp_path)
    monkeypatch.setenv("PATH", "")
    assert commit() == f"{NAME}?"
