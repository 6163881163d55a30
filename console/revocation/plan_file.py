"""Plans to files and back: laid out for people, held against their checksum, refused where they can't be kept to."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from console.paths import write_private
from console.revocation.plan import PLAN_VERSION, BatchPlan, checksum
from console.text import printable_json, sanitize

MAX_BYTES = 64 << 20
"""Room for 100,000 users with long names."""
LISTS = ("users", "refused", "unresolved")
MAKE_ANEW = "Ask whoever made it for the file as it was, or make a plan anew."


class PlanFileError(ValueError):
    """A plan that can't be read, trusted or kept to; the message says which, why and what to do."""


def write_plan(path: Path, plan: BatchPlan, *, replace: bool = False) -> None:
    """Write a plan, 0600, whole or not at all. For a thread.

    Raises FileExistsError unless `replace`, UnsafePathError where it can't be written, PlanFileError where it is too
    large to be read again.
    """
    content = _laid_out(plan.model_dump(mode="json"))
    if len(content) > MAX_BYTES:
        raise PlanFileError(f"the plan would be larger than {MAX_BYTES >> 20} MB: make several of it")
    write_private(path, content, replace=replace)


def _laid_out(content: dict[str, Any]) -> bytes:
    """A line for each fact, and one for each user, so that two plans can be held beside each other."""
    facts = []
    for name, value in content.items():
        if name in LISTS and value:
            rows = ",\n".join(f"    {_json(row)}" for row in value)
            facts.append(f"  {_json(name)}: [\n{rows}\n  ]")
        else:
            facts.append(f"  {_json(name)}: {_json(value)}")
    return ("{\n" + ",\n".join(facts) + "\n}\n").encode()


def _json(value: object) -> str:
    return printable_json(json.dumps(value, ensure_ascii=False))


def read_plan(path: Path) -> BatchPlan:
    """The plan in a file, which may be anybody's. For a thread.

    Raises PlanFileError for what is missing, unreadable, too large, no plan, of a newer Evict, altered, or not sound.
    """
    name = sanitize(str(path), limit=160)
    raw = _bytes(path, name)
    content = _content(raw, name)
    version = content.get("evict_plan")
    if type(version) is not int or version < 1:
        raise PlanFileError(f"{name} is not a plan of Evict's")
    if version > PLAN_VERSION:
        raise PlanFileError(f"{name} was made by a newer Evict (format {version}): update this one to read it")
    _hold_against_checksum(content, name)
    try:
        return BatchPlan.model_validate_json(raw)
    except ValidationError as error:
        raise PlanFileError(f"{name} is no plan that can be kept to: {_what(error)}. {MAKE_ANEW}") from None


def _bytes(path: Path, name: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        why = error.strerror if isinstance(error, OSError) else "that is no file name"
        raise PlanFileError(f"there is no file {name}" if missing else f"cannot read {name}: {why}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PlanFileError(f"{name} is not a plain file")
    with os.fdopen(descriptor, "rb") as file:
        try:
            raw = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise PlanFileError(f"cannot read {name}: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise PlanFileError(f"{name} is larger than {MAX_BYTES >> 20} MB: that is no plan")
    return raw


class _Twice(ValueError):
    """A name that stands twice in one object: which value holds, nobody could tell."""


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(sanitize(name, limit=40))
        found[name] = value
    return found


def _content(raw: bytes, name: str) -> dict[str, Any]:
    try:
        content = json.loads(raw, object_pairs_hook=_once)
    except _Twice as error:
        raise PlanFileError(f"{name} has {error} twice in one place: it was altered. {MAKE_ANEW}") from None
    except (ValueError, RecursionError):
        raise PlanFileError(f"{name} is not a plan of Evict's: it is no JSON") from None
    if not isinstance(content, dict):
        raise PlanFileError(f"{name} is not a plan of Evict's")
    return content


def _hold_against_checksum(content: dict[str, Any], name: str) -> None:
    told = content.get("sha256")
    if not isinstance(told, str):
        raise PlanFileError(f"{name} has no checksum: it was altered. {MAKE_ANEW}")
    if (found := checksum(content)) != told:
        said = f"it says {sanitize(told, limit=16)} and has {found[:15]}…"
        raise PlanFileError(f"{name} was altered after it was made: its checksum does not fit ({said}). {MAKE_ANEW}")


def _what(error: ValidationError) -> str:
    """The first thing that is wrong and where, without a value."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return sanitize(f"{place}: {first['msg']}" if place else first["msg"], limit=160)
