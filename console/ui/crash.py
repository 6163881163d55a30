"""What is printed when the console itself fails: where it happened, never what the variables held."""

from __future__ import annotations

import traceback
from collections.abc import Iterable

from pydantic import SecretStr

from console.masking import mask
from console.text import sanitize

LINES = 60


def report(error: BaseException, secrets: Iterable[SecretStr | None]) -> str:
    """A traceback without local variables, with secrets masked and no control characters."""
    held = [secret.get_secret_value() for secret in secrets if secret is not None]
    text = mask("".join(traceback.format_exception(error)), held)
    lines = [_safe(line) for line in text.splitlines()]
    kept = lines if len(lines) <= LINES else ["(cut)", *lines[-LINES:]]
    return "\n".join(
        [
            "Evict failed and has stopped; nothing more is sent. The history holds every request that left:",
            "evict resume  says how the batch stands, and goes on with what was not sent.",
            "",
            *kept,
        ]
    )


def _safe(line: str) -> str:
    body = line.lstrip(" ")
    return " " * (len(line) - len(body)) + sanitize(body, limit=400)
