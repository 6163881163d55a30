"""Every OAuth error has words of its own, and no two share them."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from console.okta.answers import read_error
from console.okta.auth.refusals import SENTENCES, refusal
from console.okta.errors import OktaError

LISTED = {
    "access_denied": 403,
    "authorization_pending": 400,
    "expired_token": 400,
    "insufficient_scope": 403,
    "invalid_client": 401,
    "invalid_dpop_proof": 400,
    "invalid_scope": 400,
    "slow_down": 400,
    "use_dpop_nonce": 400,
}
"""What our facts about Okta name, with the status that they give for it."""
REGISTERED = {
    *LISTED, "invalid_request", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_token",
    "unsupported_response_type", "server_error", "temporarily_unavailable", "unsupported_token_type", "invalid_target",
    "interaction_required", "login_required", "consent_required", "account_selection_required", "invalid_request_uri",
    "invalid_request_object", "request_not_supported", "request_uri_not_supported", "registration_not_supported",
    "invalid_redirect_uri", "invalid_client_metadata", "insufficient_user_authentication",
    "invalid_authorization_details",
    "expired_login_hint_token", "unknown_user_id", "missing_user_code", "invalid_user_code", "invalid_binding_message",
    "transaction_failed", "incompatible_openid_providers",
}  # fmt: skip
"""IANA's registry of OAuth extensions errors, with RFC 6749's own."""
ANY_ORG = ["invalid_request", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "consent_required"]
FACTS = Path(__file__).resolve().parents[5] / "shared" / "okta-api.md"


def refused(code: str, status: int = 400, *, said: str = "") -> OktaError:
    body = {"error": code, **({"error_description": said} if said else {})}
    answer = httpx.Response(status, json=body, request=httpx.Request("POST", "https://acme.okta.com/oauth2/v1/token"))
    return refusal(answer, answer.content)


@pytest.mark.skipif(not FACTS.is_file(), reason=f"the facts about Okta are not beside the checkout ({FACTS})")
def test_no_error_of_the_facts_is_left_out() -> None:
    words = set(re.findall(r"(?<![\w.-])[a-z]+(?:_[a-z]+)+(?![\w-])", FACTS.read_text()))
    assert words & REGISTERED == LISTED.keys(), "a new error needs a line here, and words of its own"


@pytest.mark.parametrize("code", [*LISTED, *ANY_ORG])
def test_each_has_words_of_its_own(code: str) -> None:
    error = refused(code, LISTED.get(code, 400))
    assert error.summary == SENTENCES[code][1]
    assert type(error) is SENTENCES[code][0]
    assert error.code == code
    assert code in str(error), "whoever asks Okta's support needs its own word"
    assert "Okta says so" in str(refused(code, said="Okta says so"))


def test_no_two_share_their_words() -> None:
    general = [refused("", 429), refused("", 500), refused("", 400), refused("", 404)]
    words = [*(refused(code).summary for code in SENTENCES), *(error.summary for error in general)]
    assert len(set(words)) == len(words)
    told = [refused(code).told for code in SENTENCES]
    assert len(set(told)) == len(told)
    assert not [one for one in words for other in words if one != other and one in other]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_no_two_share_their_words_where_the_api_refuses(status: int) -> None:
    """The API answers them too, in a body or in WWW-Authenticate alone."""
    bodies = [(f'{{"error": "{code}"}}'.encode(), {}) for code in SENTENCES if code != "insufficient_scope"]
    challenge = {"www-authenticate": 'DPoP error="insufficient_scope", scope="okta.users.manage"'}
    told = [read_error(httpx.Response(status, headers=headers), body).told for body, headers in bodies]
    if status != 400:
        told.append(read_error(httpx.Response(status, headers=challenge), b"").told)
    assert len(set(told)) == len(told)
