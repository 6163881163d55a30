"""What can go wrong with a call, named after what to do about it. Decided on `errorCode`, then on the status.

Codes and bodies: Okta's error-code catalogue and recorded answers.
"""

from __future__ import annotations


class OktaError(Exception):
    """A call that did not succeed. `str(error)` is a sentence for the operator, free of secrets."""

    advice = "Try again; if it stays, look at the request ID in Okta's System Log."
    retryable = False

    def __init__(
        self,
        summary: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        causes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        """What Okta said, sanitized; or what we say where it said nothing."""
        self.status = status
        """HTTP status, None where no answer came."""
        self.code = code
        """Okta's errorCode (`E0000007`) or the OAuth `error`, where the body had one."""
        self.request_id = request_id
        """X-Okta-Request-Id."""
        self.causes = causes

    def __str__(self) -> str:
        facts = " ".join(str(fact) for fact in (self.status, self.code) if fact)
        causes = f" ({'; '.join(self.causes)})" if self.causes else ""
        return f"{self.summary}{causes} [{facts}]" if facts else f"{self.summary}{causes}"

    @property
    def told(self) -> str:
        """What happened and what to do about it, in whole sentences."""
        said = str(self)
        return f"{said}{'' if said.endswith(('.', '!', '?')) else '.'} {self.advice}"


class CredentialRejected(OktaError):
    """Okta does not take the credential: 401 E0000011, E0000004, 401/403 E0000005, or 401 without a known code."""

    advice = "Check the token: it may be wrong, expired or revoked, or bound to a network zone. Then go on."


class AppRejected(CredentialRejected):
    """The org's token endpoint gives this app no token: its key, its grants or its settings are not right."""

    advice = "Put it right in the app's settings in Okta, or in Evict's, then try again."


class SignedOut(CredentialRejected):
    """Nobody is signed in, or no more: only the operator can help, by signing in again."""

    advice = "Sign in:  evict auth login,  or in the console ctrl+p, then Sign in."


class ScopeMissing(OktaError):
    """The OAuth token lacks a scope (`WWW-Authenticate: … error="insufficient_scope"`, often without a body)."""

    advice = "Grant the scope okta.users.manage (and okta.users.read) to the app, get a new token, then go on."


class PermissionDenied(OktaError):
    """The role behind the credential does not reach this user or call: 403 E0000006 and other 403s."""

    advice = "The admin role does not cover this user: use a credential with a role that does."


class NotFound(OktaError):
    """404 E0000007 or 410: no such user."""

    advice = "Check the ID or login; the account may have been deleted."


class GroupNotFound(NotFound):
    """No group has this name."""

    advice = "Check the name: it must be the whole name of a group that the credential may see."


class WrongAddress(OktaError):
    """A 404 that is not from Okta's API: the org URL is wrong."""

    advice = "Check the org URL: it looks like https://example.okta.com."


class RateLimited(OktaError):
    """429. `concurrency` is true for the limit of simultaneous requests (X-Rate-Limit-Limit: 0)."""

    advice = "Nothing to do: Evict waits for the window."
    retryable = True

    def __init__(self, summary: str, *, concurrency: bool = False, headers: bool = True, **facts: object) -> None:
        super().__init__(summary, **facts)  # type: ignore[arg-type]
        self.concurrency = concurrency
        self.headers = headers
        """Whether the answer carried rate headers; a proxy's 429 does not."""


class QueryTooLong(OktaError):
    """400 E0000031, 414 or 431 on a search: what Okta can't read or not hold. Ask for less at once."""

    advice = "Correct the search expression; if it is a long one, ask for fewer terms at once."


class BadRequest(OktaError):
    """Any other 4xx: Okta does not take the request as it is."""

    advice = "Okta does not accept this request; see its message."


class ServerTrouble(OktaError):
    """5xx, 408, 409 E0000112: Okta's own trouble, worth another try."""

    advice = "Okta has trouble: try again in a moment, and look at status.okta.com."
    retryable = True


class UnexpectedAnswer(OktaError):
    """An answer that the contract does not know: a 2xx or 3xx that should not be, or a body that can't be read."""

    advice = "Something between here and Okta may be answering in its place: check proxy and org URL."


class ForeignLink(UnexpectedAnswer):
    """A `next` link that leads away from the org; it was not followed."""

    advice = "The answer pointed to another host and was not followed: check proxy and org URL."


class AnswerTooLarge(UnexpectedAnswer):
    """The answer was larger than the cap on decoded bytes."""


class Unreachable(OktaError):
    """The request never left: name look-up, connection or TLS handshake failed, or no connection was free."""

    advice = "Check the org URL, the network and the proxy."
    retryable = True


class SignInTrouble(Unreachable):
    """No token was to be had just now (429 or 5xx of the token endpoint), so the request never left."""

    advice = "Nothing to do: it is asked for again."


class CertificateRejected(Unreachable):
    """The org's TLS certificate does not verify. Never retried."""

    advice = "If a corporate proxy inspects TLS, name its CA file in the setting ca_file."
    retryable = False


class AnswerLost(OktaError):
    """The request left but no answer came (deadline, reset, cut connection): Okta may have carried it out."""

    advice = "It is safe to send it again."
    retryable = True


class InvalidUserId(ValueError):
    """Something that is not a 20-character Okta ID was about to be put into a path."""
