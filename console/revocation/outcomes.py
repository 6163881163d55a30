"""What an error means for a revocation: decided here, in one table, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from console.okta.errors import (
    AnswerLost,
    CertificateRejected,
    CredentialRejected,
    InvalidUserId,
    NotFound,
    OktaError,
    PermissionDenied,
    RateLimited,
    ScopeMissing,
    ServerTrouble,
    Unreachable,
)
from console.revocation.events import Why
from console.revocation.states import State


class Then(StrEnum):
    """What follows an attempt that was not answered with 204."""

    END = "end"
    """The revocation has its outcome."""
    RETRY = "retry"
    """Another attempt after a while, as long as there are any left."""
    AGAIN = "again"
    """Not an attempt: back to the head of the queue."""
    PAUSE = "pause"
    """Nothing can be sent until the operator has acted; not an attempt."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do after an error."""

    then: Then
    state: State
    """The outcome; for RETRY the one when no attempts are left."""
    why: Why = Why.OPERATOR
    """For PAUSE."""


_TABLE: tuple[tuple[type[Exception], Verdict], ...] = (
    (NotFound, Verdict(Then.END, State.NOT_FOUND)),
    (PermissionDenied, Verdict(Then.END, State.DENIED)),
    (CredentialRejected, Verdict(Then.PAUSE, State.QUEUED, Why.CREDENTIAL)),
    (ScopeMissing, Verdict(Then.PAUSE, State.QUEUED, Why.SCOPE)),
    (RateLimited, Verdict(Then.AGAIN, State.QUEUED)),
    (CertificateRejected, Verdict(Then.PAUSE, State.QUEUED, Why.NETWORK)),
    (Unreachable, Verdict(Then.RETRY, State.FAILED)),
    (ServerTrouble, Verdict(Then.RETRY, State.FAILED)),
    (AnswerLost, Verdict(Then.RETRY, State.UNKNOWN)),
    (OktaError, Verdict(Then.END, State.FAILED)),
    (InvalidUserId, Verdict(Then.END, State.FAILED)),
)
"""The first that fits counts, so a class stands before the one it derives from."""


def judge(error: OktaError | InvalidUserId) -> Verdict:
    """The verdict on an error of a revocation."""
    return next(verdict for kind, verdict in _TABLE if isinstance(error, kind))


def explain(error: OktaError | InvalidUserId) -> str:
    """The error and what to do about it, in words for the operator."""
    return error.told if isinstance(error, OktaError) else str(error)
