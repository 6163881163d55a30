"""A credential that dies while a command sends: nothing is lost, the exit code says so, and the way on is named."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from joserfc.jwk import ECKey

from console.demo.tokens import App
from tests.support.cli import Shell
from tests.support.keyring import MemoryKeyring, memory_keyring
from tests.unit.cli.test_cli_auth import CLIENT_ID, SCOPES, here
from tests.unit.cli.test_cli_revoke import when_revoked

USERS, BEFORE = 24, 8
"""As many as one look-up takes: else some may not be looked up yet, and are told of apart, when the credential dies."""


@pytest.fixture
def ours() -> Iterator[MemoryKeyring]:
    with memory_keyring() as backend:
        yield backend


def api_token(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """An SSWS token; what is returned revokes it, or makes it good again."""

    def good(yes: bool) -> None:
        shell.org.token_revoked = not yes

    return good


def device(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """A kept sign-in; what is returned has the org end it, or signs in anew."""
    office = shell.org.office
    office.register(App(CLIENT_ID, SCOPES))
    monkeypatch.delenv("EVICT_TOKEN")
    monkeypatch.setenv("EVICT_SIGN_IN", "device")
    monkeypatch.setenv("EVICT_CLIENT_ID", CLIENT_ID)
    here(shell, monkeypatch)
    monkeypatch.setattr(
        "console.cli.signing_in.show", lambda invitation, *_: office.decide(invitation.user_code, allow=True)
    )

    def good(yes: bool) -> None:
        if yes:
            assert shell("auth", "login").code == 0
        else:
            office.issued.clear()
            office.refresh.clear()

    good(True)
    return good


def service_app(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """An app with a key; what is returned has an admin remove the key, or put it back."""
    office, key = shell.org.office, ECKey.generate_key("P-256", private=True)
    monkeypatch.delenv("EVICT_TOKEN")
    monkeypatch.setenv("EVICT_CLIENT_ID", "0oaSERVICE")
    monkeypatch.setenv("EVICT_PRIVATE_KEY", json.dumps(key.as_dict(private=True)))

    def good(yes: bool) -> None:
        if yes:
            office.register(App("0oaSERVICE", SCOPES, key=key.as_dict(private=False)))
        else:
            office.apps.clear()
            office.issued.clear()

    good(True)
    return good


@pytest.mark.parametrize("way", [api_token, device, service_app], ids=lambda way: way.__name__)
def test_what_was_not_sent_stays_queued_and_can_be_resumed(
    way: Callable[[Shell, pytest.MonkeyPatch], Callable[[bool], None]],
    evict: Shell,
    ours: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = way(evict, monkeypatch)
    evict.on_open = when_revoked(BEFORE, lambda: good(False))
    first = evict("revoke", *evict.ids(USERS), "--yes", "--json", "--case", "INC-7")
    evict.on_open = lambda workspace: None
    assert first.code == 3, first.err
    ended = Counter(line["outcome"] for line in first.of("revocation"))
    assert ended["revoked"] >= BEFORE
    assert ended == {"revoked": evict.org.revocations, "queued": USERS - evict.org.revocations}
    batch = first.summary["batch_id"]
    assert f"evict resume {batch}" in first.err
    assert f"{ended['queued']} users not sent yet" in first.err
    assert "Stopped: " in first.err
    refused = evict("resume", batch, "--yes", "--json")
    assert refused.code == 3, refused.err
    good(True)
    done = evict("resume", batch, "--yes", "--json")
    assert done.code == 0, done.err
    assert evict.org.revocations == USERS, "nobody twice, nobody left out"
    assert Counter(line["outcome"] for line in evict("history", "list", "--json").records) == {"revoked": USERS}
