"""Errors as one sentence on stderr and an exit code. The only place of the command line that catches everything."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from console.cli.exits import INCOMPLETE, REFUSED, USAGE
from console.cli.output import Output, ResultsLost
from console.demo.server import ServerUnavailable
from console.history.store import HistoryUnavailable
from console.okta.errors import CredentialRejected, OktaError, ScopeMissing
from console.paths import UnsafePathError
from console.revocation.plan_file import PlanFileError
from console.revocation.readonly import ReadOnly
from console.revocation.targets import TargetFileError
from console.settings import SettingsError


class Stop(Exception):
    """The command can't go on: a sentence for the operator, and the exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


WRONG = (
    SettingsError,
    HistoryUnavailable,
    UnsafePathError,
    TargetFileError,
    PlanFileError,
    ReadOnly,
    ServerUnavailable,
)
"""What its own message explains, and only the operator can change."""


def report(error: Exception) -> int:
    """Tell the operator on stderr what went wrong and what to do; returns the exit code. Shows no values but these."""
    message, code = explain(error)
    Output().talk("\n".join(f"evict: {line}" for line in message.split("\n")))
    return code


def explain(error: Exception) -> tuple[str, int]:
    """The message of an error and its exit code."""
    if isinstance(error, Stop):
        return str(error), error.code
    if isinstance(error, WRONG):
        return str(error), USAGE
    if isinstance(error, OktaError):
        refused = isinstance(error, CredentialRejected | ScopeMissing)
        return error.told, REFUSED if refused else INCOMPLETE
    if isinstance(error, ResultsLost):
        return str(error), INCOMPLETE
    if isinstance(error, FileExistsError):
        return f"{error.filename or error} exists: name another file, or add --replace", USAGE
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or type(error).__name__}", USAGE
    # A mistake of ours. The message of an unknown error may hold anything, so only its type and place are told.
    message = f"internal error: {type(error).__name__} at {_place(error)}. Nothing more was done. "
    return message + "Run  evict doctor,  and report this with what evict.log in the data folder says", INCOMPLETE


def is_ours(error: Exception) -> bool:
    """Whether an error is a mistake of Evict's, and nothing that an operator can do something about."""
    return not isinstance(error, (Stop, OktaError, OSError, *WRONG))


def _place(error: Exception) -> str:
    """File and line of our own code in which it came up."""
    package = Path(__file__).resolve().parents[1]
    for frame in reversed(traceback.extract_tb(sys.exc_info()[2] or error.__traceback__)):
        path = Path(frame.filename).resolve()
        if path.is_relative_to(package):
            return f"{path.relative_to(package.parent)}:{frame.lineno}"
    return "an unknown place"
