"""The variables of this process, and which of them are secrets that no child process may inherit."""

from __future__ import annotations

import os
from collections.abc import Mapping

OURS = frozenset(
    {
        "EVICT_TOKEN", "EVICT_PRIVATE_KEY", "EVICT_PROXY", "EVICT_TOKEN_COMMAND", "OKTA_CLIENT_TOKEN",
        "OKTA_CLIENT_PRIVATEKEY", "OKTA_CLIENT_PROXY_PASSWORD",
    }
)  # fmt: skip
"""Variables with secrets of ours, which are none of a child's business."""
_taken: dict[str, str] = {}


def take_secrets() -> None:
    """Take our secrets out of what children inherit: a command that gives the token, or what a keyring runs.

    Called once, as the process starts; `variables` still has them.
    """
    for name in [name for name in os.environ if name.upper() in OURS]:
        _taken[name] = os.environ.pop(name)


def variables() -> Mapping[str, str]:
    """Every variable that this process was given."""
    return {**_taken, **os.environ}
