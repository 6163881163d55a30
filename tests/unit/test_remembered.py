"""How the console was left: kept privately, read with suspicion, never lost."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from console.remembered import ASIDE, MAX_BYTES, NAME, Order, Remembered, load, save

LEFT = Remembered(
    screen="history", theme="evict-light", theme_setting="evict-dark", drawer=True,
    orders={"results": Order(column="name", descending=True)}, search="ánna [b]", filter='case:"INC 7"',
)  # fmt: skip


def test_what_is_kept_is_found_again_and_nobody_else_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "org"
    assert load(folder) == (Remembered(), "")
    save(folder, Remembered(search="before"))
    save(folder, LEFT)
    assert load(folder) == (LEFT, "")
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600
    assert [one.name for one in folder.iterdir()] == [NAME]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"version": 2}',
        b'{"screen": "cellar"}',
        b'{"token": "x"}',
        b'{"orders": {"results": "name"}}',
        b'{"search": "' + b"x" * 1001 + b'"}',
        b'{"search": "x"}' + b" " * MAX_BYTES + b"]",
        b"[" * 50_000,
    ],
    ids=lambda content: repr(content[:20]),
)
def test_what_cannot_be_understood_is_set_aside_and_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    (tmp_path / NAME).chmod(0o600)
    found, said = load(tmp_path, read_only=True)
    assert found == Remembered()
    assert "can't be understood" in said
    assert (tmp_path / NAME).read_bytes() == content, "who may not write moves nothing"
    assert load(tmp_path)[1].endswith(f"It is kept as {ASIDE}.")
    assert (tmp_path / ASIDE).read_bytes() == content
    assert load(tmp_path) == (Remembered(), "")


def test_a_link_is_neither_followed_nor_replaced(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("{}")
    (tmp_path / NAME).symlink_to(target)
    assert "can't be read" in load(tmp_path)[1]
    with pytest.raises(OSError, match="is a link"):
        save(tmp_path, LEFT)
    assert target.read_text() == "{}"
