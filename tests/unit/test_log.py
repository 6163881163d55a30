"""What is logged is private, free of secrets and of what a terminal would obey, and never in the way."""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console import log

SECRET = "00canary-token-never-to-be-seen"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[str], None]]:
    ends: list[Callable[[], None]] = []
    yield lambda level: ends.append(log.start(folder, level=level, secrets=lambda: ("", SECRET)))
    for end in ends:
        end()


def test_nothing_is_made_before_there_is_something_to_say(start: Callable[[str], None], folder: Path) -> None:
    start("warning")
    logging.getLogger("console").info("quiet")
    assert not folder.exists()
    logging.getLogger("console").warning("loud")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / log.NAME).stat().st_mode) == 0o600
    assert (folder / log.NAME).read_text().endswith("Z WARNING console: loud\n")


def test_a_traceback_is_whole_and_holds_no_secret(start: Callable[[str], None], folder: Path) -> None:
    start("warning")
    try:
        int(f"SSWS {SECRET}\x1b]0;x\x07")
    except ValueError:
        logging.getLogger("console").exception("it broke with %s \x1b]0;x\x07", SECRET)
    said = (folder / log.NAME).read_text()
    assert SECRET not in said
    assert "********" in said
    assert "Traceback (most recent call last):" in said
    assert '  File "' in said, "the indent stays"
    assert said.replace("\n", "").isprintable()


@pytest.mark.parametrize("level", ["debug", "info"])
def test_libraries_tell_nobody_what_was_searched_for(start: Callable[[str], None], folder: Path, level: str) -> None:
    start(level)
    for name in ("httpx", "httpcore.http11", "hpack.hpack"):
        logging.getLogger(name).info("GET https://acme.okta.com/api/v1/users?search=mallory")
    logging.getLogger("httpx").warning("trouble")
    logging.getLogger("console").info("ours")
    said = (folder / log.NAME).read_text()
    assert "mallory" not in said
    assert ("trouble" in said, "ours" in said) == (True, True)


def test_it_does_not_grow_without_end(
    start: Callable[[str], None], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MOST_BYTES", 1000)
    start("warning")
    for number in range(100):
        logging.getLogger("console").warning("line %d", number)
    sizes = [path.stat().st_size for path in folder.iterdir()]
    assert sorted(path.name for path in folder.iterdir()) == [log.NAME, f"{log.NAME}.1"]
    assert all(size <= 1100 for size in sizes)
    assert "line 99" in "".join(path.read_text() for path in folder.iterdir())


def test_a_log_that_can_not_be_written_is_in_nobodys_way(
    start: Callable[[str], None], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write_text("a file")
    start("warning")
    logging.getLogger("console").warning("lost")
    log._File(folder, ()).emit(logging.LogRecord("console", logging.WARNING, "", 0, "too %d few", ("x",), None))
    assert folder.read_text() == "a file"
    assert capsys.readouterr() == ("", "")


def test_everything_is_as_it_was_afterwards(folder: Path) -> None:
    root, httpx = logging.getLogger(), logging.getLogger("httpx")
    before = (root.level, httpx.level, list(root.handlers))
    log.start(folder, level="debug")()
    assert (root.level, httpx.level, list(root.handlers)) == before
    assert not folder.exists()


def test_two_at_once_share_their_secrets_and_the_last_one_writes(tmp_path: Path) -> None:
    """As while one org takes the place of another: the former ends first."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    end_former = log.start(tmp_path / "former", level="info", secrets=lambda: (SECRET,))
    end_next = log.start(tmp_path / "next", level="warning", secrets=lambda: ("00other-token",))
    logging.getLogger("console").warning("%s and 00other-token", SECRET)
    end_former()
    logging.getLogger("console").info("too quiet for the one that stays")
    logging.getLogger("console").warning("still kept")
    end_next()
    assert (root.level, list(root.handlers)) == before
    assert not (tmp_path / "former").exists()
    first, second = (tmp_path / "next" / log.NAME).read_text().splitlines()
    assert first.endswith("******** and ********")
    assert second.endswith("still kept")
