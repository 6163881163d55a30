"""How the console was left, in a small file beside the history of its org. No secrets, no answers of Okta."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from console.paths import UnsafePathError, open_private, private_dir, write_private
from console.text import sanitize

NAME = "screen.json"
ASIDE = "screen.json.unreadable"
MAX_BYTES = 64 * 1024
LONGEST_SEARCH, LONGEST_FILTER = 1_000, 4_000
Word = Annotated[str, Field(max_length=60)]


class Order(BaseModel):
    """What a list is sorted by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: Word
    descending: bool = False


class Remembered(BaseModel):
    """What is found again. The defaults are a console that was never used."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    version: Literal[1] = 1
    screen: Literal["triage", "history", "limits"] = "triage"
    theme: Word = ""
    """Chosen at the console; empty for none."""
    theme_setting: Word = ""
    """What the settings said then: once they say something else, that is the later word."""
    drawer: bool = False
    """Whether the details were open."""
    orders: dict[Word, Order] = Field(default_factory=dict, max_length=20)
    """By the name of the list."""
    search: str = Field(default="", max_length=LONGEST_SEARCH)
    filter: str = Field(default="", max_length=LONGEST_FILTER)
    """Of the history."""


def load(folder: Path, *, read_only: bool = False) -> tuple[Remembered, str]:
    """What was left in that folder, and what is wrong with it in a sentence; empty for nothing.

    What can't be understood is set aside, so that it is neither lost nor complained of again; not where `read_only`.
    """
    path = folder / NAME
    if not os.path.lexists(path):
        return Remembered(), ""
    try:
        with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        return Remembered(), f"How the console was left can't be read: {sanitize(str(error))}"
    try:
        return Remembered.model_validate_json(content if len(content) <= MAX_BYTES else b""), ""
    except ValidationError:
        said = f"{sanitize(str(path))} can't be understood: the console starts afresh."
    if read_only:
        return Remembered(), said
    try:
        path.replace(folder / ASIDE)
    except OSError as error:
        return Remembered(), f"{said} It could not be set aside: {error.strerror}"
    return Remembered(), f"{said} It is kept as {ASIDE}."


def save(folder: Path, remembered: Remembered) -> None:
    """Keep it for the next start, 0600. Raises OSError where that can't be."""
    path = private_dir(folder) / NAME
    if path.is_symlink():
        raise UnsafePathError(f"{path} is a link: remove it")
    write_private(path, remembered.model_dump_json(indent=1).encode() + b"\n", replace=True)
