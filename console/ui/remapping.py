"""The operator's own keys: which of them can be, and a sentence for each that can't."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

from console.text import sanitize
from console.ui.bindings import FORBIDDEN, KEYS, Key, display

BY_ID = {key.id: key for key in KEYS}
TOGETHER = (
    ("app", "table", "triage"),
    ("app", "table", "history"),
    ("app", "table", "limits"),
    ("app", "box", "filter"),
    ("app", "help"),
)
"""Places whose keys work at the same time."""
RESERVED = {
    "escape": "goes back one step everywhere",
    "ctrl+c": "copies what is selected",
}
MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
NAMES = frozenset(key.value for key in Keys)


def keymap(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The operator's own keys by binding id, as `App.set_keymap` takes them; and a sentence for each that is no use."""
    good, problems = _checked(tuple(wanted.items()))
    return dict(good), list(problems)


def bound(name: str, wanted: Mapping[str, str]) -> str:
    """The first key of a binding as people write it, with the operator's own keys."""
    keys = dict(_checked(tuple(wanted.items()))[0]).get(name) or BY_ID[name].keys
    return display(keys.split(",")[0])


@lru_cache(8)
def _checked(wanted: tuple[tuple[str, str], ...]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    good: dict[str, str] = {}
    problems: list[str] = []
    for name, value in wanted:
        keys = [_normal(part.strip()) for part in value.split(",") if part.strip()]
        if problem := _problem(name, keys):
            problems.append(f"keys: {problem}")
        else:
            good[name] = ",".join(keys)
    while clash := _clash(good):
        given_up, other, key = clash
        del good[given_up]
        problems.append(f"keys: {given_up} can't be {display(key)}: that is {other} ({BY_ID[other].description})")
    return tuple(good.items()), tuple(problems)


def _problem(name: str, keys: list[str]) -> str:
    """Why these can't be the keys of that binding, whatever the others are; empty where they can."""
    key = BY_ID.get(name)
    if key is None:
        return f"there is no binding {sanitize(name, limit=60)!r}; the table of keys in the README has their names"
    if not keys:
        return f"{name} has no key"
    for part in keys:
        if part.lower() in FORBIDDEN:
            return f"{name} can't be {part.lower()}: terminals can't tell it from another key"
        if part in RESERVED and part not in key.keys.split(","):
            return f"{name} can't be {part}: that {RESERVED[part]}"
        if not _is_key(part):
            return f"{name}: there is no key {sanitize(part, limit=40)!r}; write it like  r, R, f5, ctrl+r, comma"
    if key.priority and any(_typed(part) for part in keys):
        return f"{name} works while typing, so it can't be the single letter {display(keys[0])!r}"
    return ""


def _clash(good: dict[str, str]) -> tuple[str, str, str] | None:
    """A binding of the operator's own that must give way, the one in its way, and the key; the last named gives way."""
    for name in reversed(good):
        mine = set(good[name].split(","))
        for key in KEYS:
            if key.id != name and _meet(BY_ID[name], key):
                shared = mine.intersection(good.get(key.id, key.keys).split(","))
                if shared and key.action != BY_ID[name].action:
                    return name, key.id, min(shared)
    return None


def _meet(one: Key, other: Key) -> bool:
    return any(one.where in places and other.where in places for places in TOGETHER)


def _normal(part: str) -> str:
    """A character by the name that Textual gives its key: `/` is `slash`."""
    if len(part) != 1 or part.isalnum():
        return part
    try:
        name = unicodedata.name(part).lower().replace("-", "_").replace(" ", "_")
    except ValueError:
        return part
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _is_key(part: str) -> bool:
    *modifiers, name = part.split("+")
    if not MODIFIERS.issuperset(modifiers):
        return False
    return part in NAMES or name in NAMES or _character(name)


def _typed(part: str) -> bool:
    """Whether the key is a character, which a box would take."""
    return "+" not in part and _character(part)


def _character(name: str) -> bool:
    """Whether the key of that name, without modifiers, is a character. Four of them Textual does not know to be one."""
    return bool(key_to_character(name)) or name in KEY_NAME_REPLACEMENTS.values()
