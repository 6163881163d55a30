from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from console import paths


@pytest.fixture(autouse=True, params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> object:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_0700_and_files_0600(tmp_path: Path) -> None:
    folder = paths.private_dir(tmp_path / "evict" / "acme")
    paths.write_private(folder / "a.csv", b"x")
    assert (mode(folder.parent), mode(folder), mode(folder / "a.csv")) == (0o700, 0o700, 0o600)


def test_an_existing_file_is_not_overwritten_unasked(tmp_path: Path) -> None:
    target = tmp_path / "a"
    paths.write_private(target, b"first")
    with pytest.raises(FileExistsError):
        paths.write_private(target, b"second")
    assert target.read_bytes() == b"first"
    paths.write_private(target, b"second", replace=True)
    assert target.read_bytes() == b"second"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_links_and_folders_open_to_others_are_refused(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"keep")
    (tmp_path / "link").symlink_to(victim)
    with pytest.raises(paths.UnsafePathError):
        paths.open_private(tmp_path / "link", os.O_WRONLY)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(paths.UnsafePathError, match="chmod 700"):
        paths.private_dir(shared)
    for below in (victim, victim / "below"):
        with pytest.raises(paths.UnsafePathError, match="victim is not a folder"):
            paths.private_dir(below)


def test_a_folder_is_refused_where_anybody_could_swap_it(tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    above.chmod(0o777)
    with pytest.raises(paths.UnsafePathError, match=r"everybody.*chmod o-w"):
        paths.private_dir(above / "mine")
    assert not (above / "mine").exists()
    above.chmod(0o1777)  # as /tmp is: only the owner of a folder may rename it
    assert paths.private_dir(above / "mine").is_dir()


def test_what_can_not_be_written_is_named_as_it_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(paths.UnsafePathError, match=r"cannot write \S+/no/a\.csv: No such file"):
        paths.write_private(tmp_path / "no" / "a.csv", b"x")


def test_only_a_plain_file_that_nobody_else_may_write_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "shared").write_bytes(b"x")
    (tmp_path / "shared").chmod(0o666)
    for name in ("pipe", "shared"):
        with pytest.raises(paths.UnsafePathError, match="plain file of yours"):
            paths.open_private(tmp_path / name, os.O_RDONLY)


def test_a_file_that_somebody_made_meanwhile_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.csv"

    def sync(descriptor: int) -> None:
        target.write_bytes(b"theirs")

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(FileExistsError):
        paths.write_private(target, b"ours")
    assert target.read_bytes() == b"theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_what_a_killed_writer_left_is_in_nobodys_way(tmp_path: Path) -> None:
    target, at_work = tmp_path / "a.csv", paths.new_private(tmp_path / "a.csv")
    at_work.__enter__().write(b"half")
    (left,) = tmp_path.iterdir()
    paths.write_private(target, b"whole")  # by the same process, as one that is given a dead one's ID would
    assert (target.read_bytes(), left.exists()) == (b"whole", True)
    with pytest.raises(FileExistsError):
        at_work.__exit__(None, None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_shipped_themes_are_found() -> None:
    assert paths.themes_dir().name == "themes"
    assert paths.themes_dir().is_dir()
