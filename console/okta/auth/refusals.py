"""What a token endpoint refuses, in words that say what to do. Decided on `error`, never on its description.

Codes: RFC 6749 §5.2, RFC 8628 §3.5, RFC 9449 §5 and Okta's list of OAuth errors.
"""

from __future__ import annotations

import httpx

from console.okta.answers import parse_json, request_id
from console.okta.errors import AppRejected, OktaError, ScopeMissing, SignedOut, SignInTrouble, UnexpectedAnswer
from console.text import sanitize

SENTENCES: dict[str, tuple[type[OktaError], str]] = {
    "invalid_client": (
        AppRejected,
        "Okta does not accept the app's signature: check client_id, key and kid, and this machine's clock",
    ),
    "invalid_scope": (ScopeMissing, "A scope that was asked for is not granted to the app: grant it, or set scopes"),
    "invalid_grant": (SignedOut, "The sign-in is no longer good: sign in again"),
    "unauthorized_client": (
        AppRejected,
        "The app may not sign in in this way: enable the grant type in the app's settings",
    ),
    "unsupported_grant_type": (AppRejected, "The org does not offer this way of signing in"),
    "invalid_request": (AppRejected, "Okta does not accept the request for a token as it is"),
    "invalid_dpop_proof": (AppRejected, "Okta does not accept the DPoP proof: check this machine's clock"),
    "use_dpop_nonce": (AppRejected, "Okta asks for a DPoP nonce but gave none that can be used"),
    "access_denied": (SignedOut, "The sign-in was refused: somebody said no, or a policy does"),
    "expired_token": (SignedOut, "The code was not used in time: sign in again"),
    "authorization_pending": (AppRejected, "The sign-in has not been finished in the browser yet"),
    "slow_down": (AppRejected, "Okta was asked too often whether the sign-in is finished"),
    "insufficient_scope": (ScopeMissing, "The token that is in use lacks a scope for this: grant it to the app"),
    "consent_required": (AppRejected, "The app's scopes must be granted first, in its settings"),
    "invalid_token": (AppRejected, "Okta does not accept the token: it has expired or was revoked"),
    "temporarily_unavailable": (SignInTrouble, "Okta can't issue tokens at the moment"),
    "server_error": (SignInTrouble, "Okta had trouble while it issued a token"),
}  # fmt: skip
PENDING = frozenset({"authorization_pending", "slow_down"})
"""Not refused: the operator has not finished signing in."""


def error_code(body: bytes) -> tuple[str, str]:
    """`error` and `error_description` of an OAuth answer (or errorCode and errorSummary), sanitized; empty if none."""
    try:
        found = parse_json(body)
    except UnexpectedAnswer:
        return "", ""
    if not isinstance(found, dict):
        return "", ""

    def text(*names: str) -> str:
        values = (found.get(name) for name in names)
        return next((sanitize(value) for value in values if isinstance(value, str) and value), "")

    return text("error", "errorCode"), text("error_description", "errorSummary")


def refusal(response: httpx.Response, body: bytes) -> OktaError:
    """The error that a token endpoint's answer means, to be raised by the caller."""
    code, said = error_code(body)
    status = response.status_code
    facts = {"status": status, "code": code or None, "request_id": request_id(response.headers)}
    causes = (said,) if said else ()
    if code in SENTENCES:
        kind, words = SENTENCES[code]
        return kind(words, causes=causes, **facts)  # type: ignore[arg-type]
    if status == 429:
        return SignInTrouble("Okta's rate limit for tokens is reached", causes=causes, **facts)  # type: ignore[arg-type]
    if status >= 500:
        return SignInTrouble("Okta has trouble issuing a token", causes=causes, **facts)  # type: ignore[arg-type]
    if status in (400, 401, 403):
        return AppRejected("Okta issues no token", causes=causes, **facts)  # type: ignore[arg-type]
    return UnexpectedAnswer(
        f"{response.request.url.host} does not answer like an org's token endpoint",
        **facts,  # type: ignore[arg-type]
    )
