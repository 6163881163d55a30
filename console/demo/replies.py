"""Answers, and the exact bodies with which Okta refuses."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

Headers = list[tuple[str, str]]
JSON = "application/json"

SUMMARIES = {
    "E0000001": "Api validation failed",
    "E0000004": "Authentication failed",
    "E0000005": "Invalid session",
    "E0000006": "You do not have permission to perform the requested action",
    "E0000007": "Not found",
    "E0000009": "Internal Server Error",
    "E0000010": "Service is in read only mode",
    "E0000011": "Invalid token provided",
    "E0000021": "Bad request. Accept and/or Content-Type headers likely do not match supported values.",
    "E0000022": "The endpoint does not support the provided HTTP method",
    "E0000029": "Invalid paging request",
    "E0000031": "Invalid search criteria.",
    "E0000047": "API call exceeded rate limit due to too many requests.",
    "E0000053": "Invalid filter",
    "E0000112": "Cannot update this user because they are still being activated. Please try again in a few minutes.",
    "E0000156": "User is not found. The user does not exist or was deleted.",
    "E0000256": "Response header size is too large.",
}
CODE_OF_STATUS = {
    400: "E0000001",
    401: "E0000011",
    403: "E0000006",
    404: "E0000007",
    405: "E0000022",
    406: "E0000021",
    409: "E0000112",
    410: "E0000156",
    414: "E0000256",
    429: "E0000047",
    500: "E0000009",
    503: "E0000010",
}
"""The errorCode that usually comes with a status."""


@dataclass(slots=True)
class Reply:
    """One answer: `body` is what JSON can hold, bytes as they are, or None for an empty answer."""

    status: int = 200
    body: Any = None
    headers: Headers = field(default_factory=list)
    media_type: str = JSON

    def encoded(self) -> bytes:
        """The body as it goes out."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


class Refusal(Exception):
    """A request that Okta refuses; the app turns it into the answer. `code` None is an answer without a body."""

    def __init__(
        self,
        status: int,
        code: str | None,
        summary: str | None = None,
        *,
        causes: tuple[str, ...] = (),
        headers: Headers | None = None,
        rate_headers: bool = True,
    ) -> None:
        super().__init__(summary or code or str(status))
        self.status = status
        self.code = code
        self.summary = summary or SUMMARIES.get(code or "", "")
        self.causes = causes
        self.headers = headers or []
        self.rate_headers = rate_headers
        """Whether the answer shows the bucket; some refusals come from before the place where that is known."""

    def reply(self, error_id: str) -> Reply:
        """The answer."""
        body = None if self.code is None else error_body(self.code, self.summary, error_id, self.causes)
        return Reply(self.status, body, list(self.headers))


def error_body(code: str, summary: str, error_id: str, causes: tuple[str, ...] = ()) -> dict[str, Any]:
    """Okta's error envelope."""
    return {
        "errorCode": code,
        "errorSummary": summary,
        "errorLink": code,
        "errorId": error_id,
        "errorCauses": [{"errorSummary": cause} for cause in causes],
    }


def not_found(what: str, kind: str = "User") -> Refusal:
    """404 E0000007, which repeats what was asked for."""
    return Refusal(404, "E0000007", f"Not found: Resource not found: {what} ({kind})")


def invalid(field_name: str, cause: str) -> Refusal:
    """400 E0000001."""
    return Refusal(400, "E0000001", f"Api validation failed: {field_name}", causes=(f"{field_name}: {cause}",))


def scope_missing(scope: str, status: int = 403) -> Refusal:
    """An OAuth token without the scope: the reason is in a header alone."""
    challenge = (
        f'Bearer authorization_uri="/oauth2/v1/authorize", realm="/oauth2", scope="{scope}", '
        'error="insufficient_scope", error_description="The access token provided does not contain the required '
        'scopes.", resource="/api/v1"'
    )
    return Refusal(status, None, headers=[("www-authenticate", challenge)], rate_headers=False)
