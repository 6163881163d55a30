"""Config, data and theme folders; everything of ours is 0600 in 0700 folders."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import platformdirs

FOLDER_MODE = 0o700
FILE_MODE = 0o600


class UnsafePathError(OSError):
    """A folder or file of ours can't be used; the message says which, why, and what to do."""


def config_dir(override: Path | None = None) -> Path:
    """Where `config.toml` and user themes live; not created here."""
    return override or Path(platformdirs.user_config_dir("evict", appauthor=False))


def data_dir(override: Path | None = None) -> Path:
    """Where the history lives; not created here."""
    return override or Path(platformdirs.user_data_dir("evict", appauthor=False))


def themes_dir() -> Path:
    """The themes that ship with Evict: in the package once installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def private_dir(folder: Path) -> Path:
    """Make `folder` (0700) if it is missing and return it.

    Raises UnsafePathError where it can't be made, is no folder, belongs to another user or can be written by one, or
    lies in a folder in which everybody may put another one in its place.
    """
    try:
        # Not `parents=True`: that would give the folders above it the mode of the umask.
        for part in reversed([folder, *folder.parents]):
            if not part.exists():
                part.mkdir(mode=FOLDER_MODE, exist_ok=True)
            _refuse_unsafe(part, above=part != folder)
        info = folder.stat()
    except UnsafePathError:
        raise
    except OSError as error:
        raise UnsafePathError(f"cannot make the folder {folder}: {error.strerror}") from error
    if hasattr(os, "getuid") and info.st_uid not in (os.getuid(), 0):
        raise UnsafePathError(f"{folder} belongs to another user: name a folder of your own")
    if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UnsafePathError(f"{folder} can be written by others: run  chmod 700 {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UnsafePathError(f"{folder} is not writable: run  chmod 700 {folder}  or name another folder")
    return folder


def _refuse_unsafe(part: Path, *, above: bool) -> None:
    """Raise UnsafePathError for what is no folder, and for one `above` ours in which anybody may rename ours."""
    mode = part.stat().st_mode
    if not stat.S_ISDIR(mode):
        raise UnsafePathError(f"{part} is not a folder: move it away or name another one")
    if above and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:  # in one like /tmp (sticky) only the owner may
        raise UnsafePathError(f"{part} can be written by everybody: run  chmod o-w {part}")


def open_private(path: Path, flags: int) -> int:
    """A file descriptor of `path` (0600, symbolic links refused), with `flags` as `os.open` takes them.

    Raises UnsafePathError for a link, for a file of another user and for one that others may write.
    """
    # Without blocking: a pipe that lies in a file's place would hold us up for ever, and for a file it means nothing.
    guard = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags | guard, FILE_MODE)
    except FileExistsError:
        raise
    except OSError as error:
        raise UnsafePathError(f"cannot open {path}: {error.strerror}") from error
    info = os.fstat(descriptor)
    foreign = hasattr(os, "getuid") and info.st_uid not in (os.getuid(), 0)
    if foreign or not stat.S_ISREG(info.st_mode) or info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        os.close(descriptor)
        raise UnsafePathError(f"{path} is not safe to use: it must be a plain file of yours with mode 600")
    return descriptor


@contextmanager
def new_private(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """A file to write, 0600, that takes the place of `path` at the end, so that it is there complete or not at all.

    What raises within leaves nothing behind. Raises FileExistsError unless `replace`, also where somebody made it
    meanwhile, and UnsafePathError where the folder can't be written.
    """
    if not replace and path.exists():
        raise FileExistsError(path)
    # A name that nobody had before: one that a killed process left behind must be in nobody's way.
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        descriptor = open_private(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except UnsafePathError as error:
        # To the operator it is their file that can't be made.
        why = error.__cause__.strerror if isinstance(error.__cause__, OSError) else error
        raise UnsafePathError(f"cannot write {path}: {why}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if not replace:
            _claim(scratch, path)
        if scratch.exists():
            scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _claim(scratch: Path, path: Path) -> None:
    """Give `scratch` the name `path` too, or where the file system has no links make that name ours for a rename.

    Raises FileExistsError where somebody made it meanwhile; a rename alone would not see that.
    """
    try:
        os.link(scratch, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    else:
        scratch.unlink()


def write_private(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a whole file, 0600, as `new_private` does, and raise what it raises."""
    with new_private(path, replace=replace) as file:
        file.write(content)


def read_secret_file(path: Path, *, limit: int) -> str:
    """The text of a file with a secret, of at most `limit` bytes.

    Raises UnsafePathError where it can't be read, is no plain file, is too large, is not UTF-8, belongs to another
    user, or can be read or written by anybody else. The message never holds a part of it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise UnsafePathError(f"cannot read {path}: {error.strerror}") from None
    try:
        _refuse_shared(path, os.fstat(descriptor))
    except UnsafePathError:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise UnsafePathError(f"{path} is larger than {limit:,} bytes: that is no such file")
    try:
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise UnsafePathError(f"{path} is not UTF-8 text") from None


def _refuse_shared(path: Path, info: os.stat_result) -> None:
    """Raise UnsafePathError for what is no plain file of ours that nobody else can read."""
    if not stat.S_ISREG(info.st_mode):
        raise UnsafePathError(f"{path} is not a plain file")
    if not hasattr(os, "getuid"):
        return
    if info.st_uid not in (os.getuid(), 0):
        raise UnsafePathError(f"{path} belongs to another user: use a file of your own")
    if info.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UnsafePathError(f"{path} can be read by others: run  chmod 600 {path}  and renew the secret in it")
