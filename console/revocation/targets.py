"""Files and streams to text: encodings told apart, binary files and sizes refused before anything is parsed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import BinaryIO

from console.revocation.target_text import (
    MAX_BYTES,
    MAX_LINES,
    Ignored,
    Kind,
    Parsed,
    Target,
    lines_of,
    parse,
    parsing,
)
from console.steps import Steps, at_once
from console.text import sanitize

__all__ = [
    "Ignored",
    "Kind",
    "Parsed",
    "Target",
    "TargetFileError",
    "parse",
    "parsing",
    "read_targets",
    "reading_targets",
]

BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

STRANGE = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
"""What no list of users holds."""


class TargetFileError(ValueError):
    """A file of targets that can't be read; the message says which, why and what to do."""


def read_targets(path: Path | None, stream: BinaryIO | None = None) -> Parsed:
    """The targets in the file `path`; None reads `stream`, by default standard input.

    Raises TargetFileError for a file that is missing, a folder, unreadable, binary, or larger than 5 MB or 100,000
    lines: a batch that was cut without being asked is worse than none.
    """
    return at_once(reading_targets(path, stream))


def reading_targets(path: Path | None, stream: BinaryIO | None = None) -> Steps[int, Parsed]:
    """The same in steps, each of which tells how many lines are read."""
    name = sanitize(str(path), limit=160) if path else "standard input"
    text = decode(_bytes(path, stream, name), name)
    lines = len(lines_of(text.rstrip()))
    if lines > MAX_LINES:
        raise TargetFileError(f"{name} has {lines:,} lines: at most {MAX_LINES:,} are read at once, so split it")
    return (yield from parsing(text))


def _bytes(path: Path | None, stream: BinaryIO | None, name: str) -> bytes:
    try:
        if path is None:
            content = (stream or sys.stdin.buffer).read(MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise TargetFileError(f"there is no file {name}") from None
    except IsADirectoryError:
        raise TargetFileError(f"{name} is a folder: name a file") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "that is no file name"
        raise TargetFileError(f"cannot read {name}: {why}") from None
    if len(content) > MAX_BYTES:
        raise TargetFileError(f"{name} is larger than 5 MB: split it")
    return content


def decode(content: bytes, name: str) -> str:
    """The text of a file: by its BOM, else UTF-16 by its pattern of zero bytes, else UTF-8, else Windows-1252.

    Raises TargetFileError for what is no text.
    """
    if content.startswith(b"PK\x03\x04"):
        raise TargetFileError(f"{name} is a workbook or archive: save the list as CSV and name that file")
    encoding = next((encoding for bom, encoding in BOMS if content.startswith(bom)), None) or _utf_16(content)
    if encoding is None and b"\0" in content:
        raise TargetFileError(f"{name} is a binary file, not a list of users")
    try:
        text = content.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        if encoding is not None:
            raise TargetFileError(f"{name} is not valid {encoding.removesuffix('-sig').upper()} text") from None
        text = content.decode("cp1252", errors="replace")
    strange = len(STRANGE.findall(text))
    if strange > max(2, len(text) // 20):
        raise TargetFileError(f"{name} is a binary file, not a list of users")
    return text


def _utf_16(content: bytes) -> str | None:
    """UTF-16 without a BOM: nearly every second byte of a list of logins is zero."""
    half = len(content) // 2
    if half == 0 or len(content) % 2:
        return None
    if content[1::2].count(0) > half * 0.7 and content[::2].count(0) == 0:
        return "utf-16-le"
    if content[::2].count(0) > half * 0.7 and content[1::2].count(0) == 0:
        return "utf-16-be"
    return None
