"""Adds a profile to `config.toml`. What stands there already is kept, byte for byte; nothing of it is replaced."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from console.paths import private_dir, write_private
from console.settings_sources import SettingsError, profile_names

Value = str | int | float | bool | list[str]
BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def add_profile(path: Path, name: str, values: Mapping[str, Value]) -> None:
    """Append `[profiles.NAME]` to the file, which is made (0600, in a 0700 folder) where it is missing.

    Raises SettingsError where the profile is there already or the file is no TOML, UnsafePathError where it can't be
    written. The file is complete, as before or with the profile, whatever happens.
    """
    if name in profile_names(path):
        raise SettingsError(f"there is a profile {name} in {path} already: choose another name, or change it there")
    path = path.resolve()  # a link stays one: what it points to is written
    before = path.read_bytes() if path.exists() else b""
    gap = b"" if not before else b"\n" if before.endswith(b"\n") else b"\n\n"
    try:
        after = before + gap + _table(name, values).encode()
    except UnicodeEncodeError:
        raise SettingsError("an answer holds characters that are no text: type it again") from None
    _check(path, name, before, after, values)
    private_dir(path.parent)
    write_private(path, after, replace=True)


def _table(name: str, values: Mapping[str, Value]) -> str:
    key = name if set(name) <= BARE else json.dumps(name)
    lines = [f"[profiles.{key}]", *(f"{setting} = {_toml(value)}" for setting, value in values.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Value) -> str:
    """A value as TOML: its strings take JSON's escapes, but for DEL, which it wants escaped too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _check(path: Path, name: str, before: bytes, after: bytes, values: Mapping[str, Value]) -> None:
    """Raise SettingsError unless the file means what it did, and the profile besides."""
    try:
        old = tomllib.loads(before.decode("utf-8-sig"))
        new = tomllib.loads(after.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise SettingsError(f"{path} can't take another profile as it is written: add it by hand") from None
    added = new.get("profiles", {}).pop(name, None)
    if not new.get("profiles") and "profiles" not in old:
        new.pop("profiles", None)
    if added != dict(values) or new != old:
        raise SettingsError(f"{path} can't take another profile as it is written: add it by hand")
