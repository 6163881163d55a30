"""One talk with the org's token endpoint: proofs, nonces and a wrong clock are settled in it, a token comes out.

Okta answers a first DPoP proof with 400 `use_dpop_nonce` and the nonce, and burns the client assertion's `jti` all the
same; an app that demands DPoP answers a request without a proof with 400 `invalid_dpop_proof` (recorded).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
from pydantic import SecretStr

from console.clock import Clock
from console.okta.answers import parse_json, read_body
from console.okta.auth.dpop import ProofKey, nonce_in
from console.okta.auth.grants import Grant, Token
from console.okta.auth.refusals import error_code, refusal
from console.okta.auth.token import VISIBLE
from console.okta.errors import UnexpectedAnswer

MAX_ANSWER = 64 * 1024
DEADLINE_S = 20.0
TRIES = 4
"""Without a proof, with one, with a nonce, with the right time: more is a circle."""
DEFAULT_LIFE_S = 300.0
"""Where Okta does not say how long a token is good."""
RENEW_AT_MOST_S = 300.0
RENEW_SHARE = 0.3
"""A token is renewed when this share of its life is left, or five minutes."""
SKEW_S = 30.0
"""How far the clocks may differ before the org's is believed."""

Limits = Mapping[str, float | None]
"""Timeouts of connecting, reading, writing and waiting for a connection, in seconds."""
Talk = AsyncGenerator[httpx.Request, httpx.Response]


class TokenEndpoint:
    """`/oauth2/v1/token` of an org. What was learnt (DPoP or not, nonce, the org's time) is kept from talk to talk."""

    def __init__(self, org_url: str, clock: Clock, *, headers: dict[str, str], dpop: bool | None = None) -> None:
        """`headers` go with each request; `dpop` None finds out whether the app demands it, False never uses it."""
        self.url = httpx.URL(f"{org_url}/oauth2/v1/token")
        self._clock = clock
        self._headers = headers
        self._may_prove = dpop is not False
        self._proving: ProofKey | None = ProofKey() if dpop else None
        self._nonce: str | None = None
        self._ahead = timedelta()
        self.token: Token | None = None
        """What the last talk ended with."""

    @property
    def proof_key(self) -> ProofKey | None:
        """The key that tokens are bound to; None where none is in use."""
        return self._proving

    def prove_with(self, key: ProofKey) -> None:
        """Go on with a kept key: a refresh token is good with that alone (RFC 9449 §5)."""
        if self._may_prove:
            self._proving = key

    def now(self) -> datetime:
        """The org's time, as far as it is known."""
        return self._clock.now() + self._ahead

    def proof(self, method: str, url: httpx.URL, token: SecretStr, nonce: str | None) -> str:
        """A proof for an API call with a DPoP token."""
        if self._proving is None:
            raise UnexpectedAnswer("Okta issued a DPoP token that was not asked for")
        return self._proving.proof(method, url, self.now(), token=token, nonce=nonce)

    async def talk(self, grant: Grant, limits_s: Limits | None = None) -> Talk:
        """Requests to send, each answered into the generator; afterwards `token` is set. Raises OktaError."""
        for _ in range(TRIES):
            asked = self._request(grant, limits_s)
            with_proof = "dpop" in asked.headers
            response = yield asked
            body = await buffered(response)
            if response.status_code == 200:
                self.token = self._issued(response, body)
                grant.took(self.token)
                return
            code, _ = error_code(body)
            if not self._settled(response, code, with_proof=with_proof):
                raise refusal(response, body)
        raise refusal(response, body)

    def post(
        self,
        url: httpx.URL,
        form: Mapping[str, str],
        *,
        proof: str | None = None,
        limits_s: Limits | None = None,
    ) -> httpx.Request:
        """A form for one of the org's OAuth endpoints; `limits_s` as httpx has them in a request's extensions."""
        headers = self._headers | {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if proof is not None:
            headers["DPoP"] = proof
        limits = httpx.Timeout(DEADLINE_S).as_dict() if limits_s is None else limits_s
        return httpx.Request("POST", url, headers=headers, data=dict(form), extensions={"timeout": limits})

    def _request(self, grant: Grant, limits_s: Limits | None) -> httpx.Request:
        proof = None
        if self._proving is not None:
            proof = self._proving.proof("POST", self.url, self.now(), nonce=self._nonce)
        return self.post(self.url, grant.form(str(self.url), self.now()), proof=proof, limits_s=limits_s)

    def _settled(self, response: httpx.Response, code: str, *, with_proof: bool) -> bool:
        """Whether what was refused can be put right, so that another try makes sense."""
        fresh = nonce_in(response)
        if code == "use_dpop_nonce" and fresh is not None and fresh != self._nonce:
            self._nonce = fresh
            return True
        if code == "invalid_dpop_proof" and not with_proof and self._may_prove:
            self._proving = ProofKey()
            self._nonce = fresh
            return True
        # A machine whose clock is wrong signs for another time, and Okta says only that it does not like it.
        return code in ("invalid_client", "invalid_dpop_proof") and self._set_clock(response)

    def _set_clock(self, response: httpx.Response) -> bool:
        """Believe the org's `Date`; whether that changed anything."""
        try:
            theirs = parsedate_to_datetime(response.headers.get("date", ""))
        except ValueError:
            return False
        if theirs.tzinfo is None or abs((theirs - self.now()).total_seconds()) <= SKEW_S:
            return False
        self._ahead = theirs - self._clock.now()
        return True

    def _issued(self, response: httpx.Response, body: bytes) -> Token:
        """The token of a 200. Raises UnexpectedAnswer for one that can't be used, without showing it."""
        found = parse_json(body)
        fields = found if isinstance(found, dict) else {}
        value, kind = fields.get("access_token"), str(fields.get("token_type", "")).lower()
        if not isinstance(value, str) or not VISIBLE.fullmatch(value) or kind not in ("bearer", "dpop"):
            raise UnexpectedAnswer("Okta's answer holds no token that can be used", status=response.status_code)
        if kind == "dpop" and self._proving is None:
            raise UnexpectedAnswer("Okta issued a DPoP token that was not asked for", status=response.status_code)
        self._nonce = nonce_in(response) or self._nonce
        now, life = self._clock.monotonic(), _seconds(fields.get("expires_in"))
        refresh, scope = fields.get("refresh_token"), fields.get("scope")
        return Token(
            SecretStr(value),
            "DPoP" if kind == "dpop" else "Bearer",
            ends=now + life,
            renew=now + life - min(RENEW_AT_MOST_S, RENEW_SHARE * life),
            scopes=tuple(scope.split()) if isinstance(scope, str) else (),
            refresh=SecretStr(refresh) if isinstance(refresh, str) and VISIBLE.fullmatch(refresh) else None,
        )


async def buffered(response: httpx.Response) -> bytes:
    """The body of an answer within a flow, under a cap; httpx, which reads it once more, gets nothing.

    Raises OktaError for one that is too large or broken.
    """
    stream = response.stream
    try:
        return await read_body(response, MAX_ANSWER)
    finally:
        if isinstance(stream, httpx.AsyncByteStream):
            await stream.aclose()
        response.stream = httpx.ByteStream(b"")


def _seconds(value: object) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 31_536_000
    return float(value) if good else DEFAULT_LIFE_S  # type: ignore[arg-type]
