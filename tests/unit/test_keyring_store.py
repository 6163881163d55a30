from __future__ import annotations

from collections.abc import Iterator

import keyring.errors
import pytest
from pydantic import SecretStr

from console.kept import KeptSignIn, KeptToken
from console.keyring_store import Keyring, KeyringUnavailable
from console.okta.auth.operator import Kept
from console.paths import data_dir
from tests.support.keyring import MemoryKeyring, memory_keyring

ORG = "https://acme.okta.com"


@pytest.fixture
def ours() -> Iterator[MemoryKeyring]:
    with memory_keyring() as backend:
        yield backend


def test_what_is_put_is_found_and_can_be_forgotten(ours: MemoryKeyring) -> None:
    ring = Keyring("evict test")
    assert (ring.get("a"), ring.delete("a")) == (None, False)
    ring.put("a", "canary")
    assert ring.get("a") == "canary"
    assert ring.delete("a") is True
    assert ours.held == {}


def test_a_keyring_that_is_switched_off_is_found_out(ours: MemoryKeyring) -> None:
    ours.forgetful = True
    with pytest.raises(KeyringUnavailable, match="did not keep the sign-in") as caught:
        KeptSignIn(ORG, "0oa1").put(Kept(SecretStr("canary")))
    assert "canary" not in str(caught.value)
    ours.held["evict token", ORG] = "canary"
    with pytest.raises(KeyringUnavailable, match="did not forget the token"):
        KeptToken(ORG).delete()


def test_its_errors_are_told_and_not_quoted(ours: MemoryKeyring) -> None:
    ours.error = RuntimeError("canary")
    with pytest.raises(KeyringUnavailable, match="RuntimeError") as caught:
        KeptToken(ORG).put(SecretStr("canary"))
    assert "canary" not in str(caught.value)
    ours.error = keyring.errors.NoKeyringError("none")
    with pytest.raises(KeyringUnavailable, match="no keyring on this machine"):
        KeptToken(ORG).get()


def test_one_at_a_time_may_change_a_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    one, another, other_app = KeptSignIn(ORG, "0oa1"), KeptSignIn(ORG, "0oa1"), KeptSignIn(ORG, "0oa2")
    monkeypatch.setenv("EVICT_DATA_DIR", "/elsewhere")  # the keyring is the account's, whatever the settings say
    assert one.claim()
    assert not another.claim()
    assert other_app.claim()
    one.release()
    assert another.claim()
    another.release()
    another.release()
    folder = data_dir() / "sign-ins"
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    folder.chmod(0o777)
    with pytest.raises(OSError, match="chmod 700"):
        KeptSignIn(ORG, "0oa3").claim()


def test_sign_ins_are_kept_apart_by_org_and_app(ours: MemoryKeyring) -> None:
    kept = Kept(SecretStr("refresh-canary"), SecretStr('{"kty":"EC"}'), "riley@acme.test", "2026-11-23T03:00:00.000Z")
    KeptSignIn(ORG, "0oa1").put(kept)
    assert KeptSignIn(ORG, "0oa1").get() == kept
    assert KeptSignIn(ORG, "0oa2").get() is None
    assert KeptSignIn("https://other.okta.com", "0oa1").get() is None
    assert "canary" not in repr(kept)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"refresh": 3}', '{"refresh": ""}'])
def test_an_entry_that_is_none_of_ours_counts_as_none(ours: MemoryKeyring, text: str) -> None:
    ours.held["evict sign-in", f"{ORG} 0oa1"] = text
    assert KeptSignIn(ORG, "0oa1").get() is None
