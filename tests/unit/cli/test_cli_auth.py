"""`evict auth`, and what every command does where nobody is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console import workspace as workspace_module
from console.cli import auth as auth_module
from console.cli import signing_in
from console.demo.tokens import App
from console.okta.auth.token import TokenAuth
from tests.support.cli import TOKEN, URL, Shell, make_shell
from tests.support.keyring import MemoryKeyring, memory_keyring

CLIENT_ID = "0oaNATIVE"
SCOPES = frozenset({"okta.users.read", "okta.users.manage", "okta.groups.read"})
TYPED = "00typed-canary-token"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return make_shell(monkeypatch, capsys)


@pytest.fixture
def ours() -> Iterator[MemoryKeyring]:
    with memory_keyring() as backend:
        yield backend


@pytest.fixture(params=[False, True], ids=["bearer", "dpop"])
def device(request: pytest.FixtureRequest, shell: Shell, ours: MemoryKeyring, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Settings of an app that operators sign in with; who is shown a code uses it at once."""
    shell.org.office.register(App(CLIENT_ID, SCOPES, dpop=request.param))
    monkeypatch.delenv("EVICT_TOKEN")
    monkeypatch.setenv("EVICT_SIGN_IN", "device")
    monkeypatch.setenv("EVICT_CLIENT_ID", CLIENT_ID)
    here(shell, monkeypatch)
    original = signing_in.show

    def used(invitation: Any, seconds: float, out: Any) -> None:
        original(invitation, seconds, out)
        assert shell.org.office.decide(invitation.user_code, allow=allow[0])

    allow = [True]
    shell.allow = allow  # type: ignore[attr-defined]
    monkeypatch.setattr(signing_in, "show", used)
    return shell


def here(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """`evict auth` talks to the demo org, too."""
    original = workspace_module.http_for
    monkeypatch.setattr(auth_module, "http_for", lambda *given: original(*given, shell.transport))
    monkeypatch.setattr(auth_module, "SystemClock", lambda: shell.org.clock)


def secrets_of(shell: Shell, ours: MemoryKeyring) -> list[str]:
    office = shell.org.office
    return [*office.issued, *office.refresh, *(one.device_code for one in office.pending.values()), *ours.held.values()]


def test_who_signs_in_stays_so_until_they_sign_out(device: Shell, ours: MemoryKeyring) -> None:
    said = []
    done = device("auth", "login")
    said.append(done)
    me = device.org.users[0].login
    assert done.code == 0, done.err
    assert f"You are signed in as {me}" in done.err
    (entry,) = ours.held
    assert entry == ("evict sign-in", f"{URL} {CLIENT_ID}")
    first = ours.held[entry]
    for _ in range(2):  # the second goes on by what the first was given anew
        said.append(done := device("search", "a", "--json"))
        assert done.code == 0, done.err
    assert ours.held[entry] != first, "the refresh token rotates"
    said.append(done := device("auth", "status", "--json"))
    (found,) = done.of("sign_in")
    assert (done.code, found["good"], found["who"], found["secret_from"]) == (0, True, me, "the keyring")
    assert "offline_access" in found["scopes"]
    assert found["until"].startswith("2026-11-23T0")
    said.append(done := device("doctor"))
    assert done.code == 0, done.out + done.err
    assert device.org.office.refresh
    secrets = secrets_of(device, ours)
    said.append(done := device("auth", "logout"))
    assert (done.code, ours.held, device.org.office.refresh) == (0, {}, {})
    said.append(done := device("search", "a"))
    assert done.code == 3
    assert "evict auth login" in done.err
    for one in said:
        for secret in secrets:
            assert secret not in one.out + one.err


def test_nothing_that_is_written_holds_a_secret(device: Shell, ours: MemoryKeyring, tmp_path: Path) -> None:
    device("auth", "login")
    ids = device.ids(2)
    secrets = secrets_of(device, ours)
    assert device("revoke", *ids, "--yes").code == 0
    secrets += secrets_of(device, ours)
    files = [path for path in device.workspaces[-1].settings.data_dir.rglob("*") if path.is_file()]
    assert files
    for path in files:
        text = path.read_text("latin-1")
        assert not [one for one in secrets if one in text], path
    assert "signed in (" in "".join(path.read_text("latin-1") for path in files)
    assert not [one for one in secrets if one in repr(device.workspaces[-1].credential)]


def test_where_nobody_can_answer_the_way_on_is_said(device: Shell) -> None:
    for command in (["search", "a"], ["revoke", "00u12345678901234567", "--yes"], ["auth", "status"]):
        done = device(*command)
        assert done.code == 3, command
        assert "evict auth login" in done.out + done.err
    done = device("doctor")
    assert done.code == 3
    assert "evict auth login" in done.out


def test_where_somebody_is_there_the_code_is_shown_and_nothing_kept(device: Shell, ours: MemoryKeyring) -> None:
    done = device("search", "a", answer="")
    assert done.code == 0, done.err
    for words in ("To sign in, open", f"{URL}/activate", "or scan this:", "Signed in."):
        assert words in done.err
    assert "activate" not in done.out
    assert ours.held == {}
    device.allow[0] = False  # type: ignore[attr-defined]
    done = device("search", "a", answer="")
    assert done.code == 3
    assert "refused" in done.err


def test_a_sign_in_that_ended_is_begun_anew(device: Shell, ours: MemoryKeyring) -> None:
    device("auth", "login")
    device.org.office.refresh.clear()
    done = device("search", "a")
    assert done.code == 3
    assert "no longer good" in done.err
    assert device("auth", "status").code == 3
    assert device("search", "a", answer="").code == 0


def test_a_sign_out_that_the_org_does_not_carry_out_is_said(
    device: Shell, ours: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    device("auth", "login")
    held = dict(ours.held)
    device.org.office.apps.clear()
    done = device("auth", "logout")
    assert done.code == 1
    assert "--force" in done.err
    assert ours.held == held, "it may still be good"
    done = device("auth", "logout", "--force")
    assert (done.code, ours.held) == (1, {})
    assert "may still be good" in done.err


def test_a_keyring_that_keeps_nothing_is_told(device: Shell, ours: MemoryKeyring) -> None:
    ours.forgetful = True
    done = device("auth", "login")
    assert done.code == 2
    assert "switched off" in done.err
    ours.forgetful = False
    device("auth", "login")
    ours.forgetful = True
    done = device("search", "a")
    assert done.code == 0
    assert "you must sign in again next time" in done.err


def test_a_token_is_kept_once_the_org_took_it(
    shell: Shell, ours: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    here(shell, monkeypatch)
    monkeypatch.delenv("EVICT_TOKEN")
    done = shell("auth", "login", "--token", stdin=f"{TYPED}\n".encode())
    assert (done.code, ours.held) == (3, {})
    assert TYPED not in done.out + done.err
    done = shell("auth", "login", "--token", stdin=f"{TOKEN}\n".encode())
    assert (done.code, ours.held) == (0, {("evict token", URL): TOKEN})
    assert shell("search", "a").code == 0
    done = shell("auth", "status", "--json")
    (found,) = done.of("sign_in")
    assert (found["good"], found["how"], found["secret_from"]) == (True, "SSWS", "the keyring")
    monkeypatch.setenv("EVICT_TOKEN", TYPED)
    done = shell("auth", "status")
    assert done.code == 3
    assert "NOT GOOD" in done.out
    assert TYPED not in done.out + done.err
    monkeypatch.delenv("EVICT_TOKEN")
    done = shell("auth", "logout")
    assert (done.code, ours.held) == (0, {})
    assert "It is still good" in done.err
    assert shell("search", "a").code == 2


def test_a_token_is_asked_for_where_somebody_is_there(
    shell: Shell, ours: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVICT_TOKEN")
    asked: list[str] = []

    def typed(question: str) -> str:
        asked.append(question)
        return TOKEN

    monkeypatch.setattr(signing_in.getpass, "getpass", typed)
    done = shell("search", "a", answer="")
    assert done.code == 0, done.err
    assert len(asked) == 1
    assert "not kept" in asked[0]
    assert ours.held == {}
    monkeypatch.setattr(signing_in.getpass, "getpass", lambda _: " ")
    assert shell("search", "a", answer="").code == 2


def test_every_profile_is_told(
    shell: Shell, ours: MemoryKeyring, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here(shell, monkeypatch)
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "config.toml").write_text(f'[profiles.prod]\norg_url = "{URL}"\n[profiles.emea]\nclient_id = "0oa1"\n')
    monkeypatch.setenv("EVICT_CONFIG_DIR", str(folder))
    monkeypatch.delenv("EVICT_ORG_URL")
    done = shell("auth", "status", "--all", "--json")
    found = {one["profile"]: one["good"] for one in done.of("sign_in")}
    assert found == {"prod": True, "emea": False, "": False}
    assert done.code == 3


@pytest.mark.parametrize("command", [["auth", "login"], ["auth", "logout"], ["auth", "login", "--token"]])
def test_without_an_org_there_is_nobody_to_sign_in_at(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.delenv("EVICT_ORG_URL")
    done = shell(*command, stdin=b"x\n")
    assert done.code == 2
    assert "no org is set" in done.err


def test_a_credential_without_a_token_signs_nothing() -> None:
    auth = TokenAuth(None, URL)
    assert (auth.ready, auth.secrets()) == (False, ())
