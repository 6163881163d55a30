"""Secrets that a test plants, and a search that finds each of them in whatever form it got out."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

GRAM = 8
SHORTEST = 16
"""Characters of a canary: half of it must be too long to turn up by chance."""


@dataclass
class Canaries:
    """What must not be found. `held` is a secret's name by its value; a leak is half of it in a row, or more."""

    held: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: str) -> str:
        """One more; returns the value."""
        assert len(value) >= SHORTEST, f"{name} is too short to be told from chance"
        self.held.setdefault(value, name)
        return value

    def add_jwk(self, name: str, jwk: str) -> None:
        """A private key as JWK: each of its private members."""
        for member, value in json.loads(jwk).items():
            if member in ("d", "p", "q", "dp", "dq", "qi"):
                self.add(f"{name} ({member})", value)

    def add_pem(self, name: str, pem: str) -> None:
        """A private key as PEM: each of its lines, as whatever breaks them anew hides the whole."""
        for number, line in enumerate(pem.splitlines()):
            if not line.startswith("-----") and len(line) >= 2 * SHORTEST:
                self.add(f"{name} (line {number})", line)

    def add_signed(self, name: str, jws: str) -> None:
        """An assertion or a proof: what it says, and its signature. Its header is the same for all."""
        for part, value in zip(("claims", "signature"), jws.split(".")[1:], strict=True):
            self.add(f"{name} ({part})", value)

    def found_in(self, data: bytes | str) -> list[str]:
        """The names of what can be read there, each with the form in which it can."""
        raw = data.encode() if isinstance(data, str) else data
        grams = self._grams()
        found = set()
        for at in range(len(raw) - GRAM + 1):
            for form, offset, name in grams.get(raw[at : at + GRAM], ()):
                if _run(raw, at, form, offset) >= max(GRAM, len(form) // 2):
                    found.add(name)
        return sorted(found)

    def leaks(self, places: dict[str, bytes | str]) -> list[str]:
        """Everything that is readable anywhere: `place: name`."""
        return [f"{place}: {name}" for place, data in places.items() for name in self.found_in(data)]

    def _grams(self) -> dict[bytes, list[tuple[bytes, int, str]]]:
        """Where a form of a secret may be recognised: one of its pieces every few bytes is enough for half of it."""
        grams: dict[bytes, list[tuple[bytes, int, str]]] = defaultdict(list)
        for value, name in self.held.items():
            for kind, form in _forms(value.encode()):
                # Half of it holds a whole piece, however it lies, where pieces begin so often.
                step = max(1, len(form) // 2 - GRAM + 1)
                for offset in range(0, len(form) - GRAM + 1, step):
                    grams[form[offset : offset + GRAM]].append((form, offset, f"{name}, {kind}"))
        return grams


def _run(data: bytes, at: int, form: bytes, offset: int) -> int:
    """How many bytes in a row are those of `form`, around what lies at `at` here and at `offset` there."""
    before = after = 0
    while min(at, offset) > before and data[at - before - 1] == form[offset - before - 1]:
        before += 1
    while at + after < len(data) and offset + after < len(form) and data[at + after] == form[offset + after]:
        after += 1
    return before + after


def _forms(value: bytes) -> Iterator[tuple[str, bytes]]:
    """Every way in which texts carry it, each once."""
    text = value.decode()
    ways = {"as it is": value, "URL-encoded": quote(text, safe="").encode(), "as a form": quote_plus(text).encode(),
            "in JSON": json.dumps(text)[1:-1].encode(), "in JSON in JSON": json.dumps(json.dumps(text))[3:-3].encode(),
            "in Python": repr(text)[1:-1].encode(), "in hexadecimal": value.hex().encode(),
            "backwards": value[::-1]}  # fmt: skip
    for shift in range(3):
        # What stands before it decides how it falls into groups of three; its edges are mixed with that.
        whole = base64.b64encode(b"\0" * shift + value)
        ways[f"in base64 ({shift})"] = core = whole[(0, 2, 3)[shift] : len(whole) // 4 * 4 - 4]
        ways[f"in base64url ({shift})"] = core.translate(bytes.maketrans(b"+/", b"-_"))
    seen = set()
    for kind, form in ways.items():
        if form not in seen:
            seen.add(form)
            yield kind, form


def files_below(*folders: Path, leaving: Iterable[Path] = ()) -> dict[str, bytes | str]:
    """Every file below these folders, by its path; where a secret is kept on purpose is left out."""
    left = set(leaving)
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path not in left]
    return {str(path): str(path).encode() + b"\n" + path.read_bytes() for path in paths}
