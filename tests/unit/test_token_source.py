"""Where the token comes from, and that none of these places shows it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.settings import Settings, SettingsError, explain, load
from console.token_source import find_token
from tests.support.keyring import MemoryKeyring, memory_keyring

CANARY = "00canary-token-never-to-be-seen"
ORG = "https://acme.okta.com"


@pytest.fixture
def ours() -> Iterator[MemoryKeyring]:
    with memory_keyring() as backend:
        yield backend


def script(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def settings(**given: Any) -> Settings:
    return load(org_url=ORG, **given)


def token_of(**given: Any) -> str:
    found = find_token(settings(**given), limit_s=20)
    assert found is not None
    assert CANARY not in repr(found)
    return found.token.get_secret_value()


def problem(**given: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        find_token(settings(**given), limit_s=20)
    assert CANARY not in str(caught.value)
    return str(caught.value)


def test_a_private_file_gives_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{CANARY}\nmore\n")
    path.chmod(0o600)
    assert token_of(token_file=path) == CANARY
    path.chmod(0o640)
    assert "chmod 600" in problem(token_file=path)
    path.write_text(f"SSWS {CANARY}")
    path.chmod(0o600)
    assert "the token alone" in problem(token_file=path)
    assert "cannot read" in problem(token_file=tmp_path / "gone")


def test_a_command_gives_its_first_line_and_says_what_it_likes(capfd: pytest.CaptureFixture[str]) -> None:
    code = f"import sys; print('{CANARY}'); print('more'); print('touch your key', file=sys.stderr)"
    assert token_of(token_command=script(code)) == CANARY
    out, err = capfd.readouterr()
    assert (out, err.strip()) == ("", "touch your key")


def test_a_command_has_no_shell_and_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("EVICT_PRIVATE_KEY", "EVICT_PROXY", "OKTA_CLIENT_TOKEN", "OKTA_CLIENT_PRIVATEKEY", "EVICT_TOKEN"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("VAULT_ADDR", "https://vault")
    seen = tmp_path / "seen"
    code = f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ))); print('00' + 'x' * 20)"
    given = Settings(org_url=ORG, token_command=script(code))
    assert find_token(given) is not None
    assert CANARY not in seen.read_text()
    assert "VAULT_ADDR" in seen.read_text()
    found = find_token(Settings(org_url=ORG, token_command=("echo", "$HOME;ls")))
    assert found is not None
    assert found.token.get_secret_value() == "$HOME;ls"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (f"import sys; print('{CANARY}'); sys.exit(3)", "ended with 3"),
        ("pass", "is empty"),
        (f"print('Bearer {CANARY}')", "the token alone"),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\xfe')", "prints no text"),
    ],
)
def test_a_command_that_gives_no_token_is_told(code: str, said: str) -> None:
    assert said in problem(token_command=script(code))


@pytest.mark.parametrize(
    "code",
    [
        "import time; print('on my way', flush=True); time.sleep(60)",
        # Its child holds the pipe open; nobody waits for that.
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(20)']); print('on')",
    ],
    ids=["itself", "its child"],
)
def test_a_command_that_does_not_end_is_stopped(code: str) -> None:
    moments = iter([0.0, 0.0])  # when it begins, and when its first output is waited for; then its time is over
    began = time.monotonic()
    with pytest.raises(SettingsError, match=r"did not end within 30 s: .* was stopped"):
        find_token(settings(token_command=script(code)), limit_s=30, monotonic=lambda: next(moments, 31.0))
    assert time.monotonic() - began < 15, "neither is waited for"
    assert next(moments, None) is None, "its output was waited for"


def test_a_command_that_there_is_not_is_told() -> None:
    assert "can't be run: no-such-command" in problem(token_command=("no-such-command", "x"))


def test_the_keyring_is_asked_last(ours: MemoryKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_token(settings()) is None
    ours.held["evict token", ORG] = CANARY
    found = find_token(settings())
    assert found is not None
    assert (found.token.get_secret_value(), found.where) == (CANARY, "the keyring")
    asked = ours.asked
    assert token_of(token="00another") == "00another"
    assert ours.asked == asked, "not where a token is set"
    ours.error = RuntimeError(CANARY)
    assert find_token(settings()) is None


def test_a_stronger_place_outweighs_a_weaker_one(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Path(os.environ["EVICT_CONFIG_DIR"])
    config.mkdir(parents=True)
    toml = config / "config.toml"
    toml.write_text(f'token = "{CANARY}"\n')
    toml.chmod(0o600)
    monkeypatch.setenv("EVICT_TOKEN_COMMAND", "op read 'op://soc/okta token'")
    loaded = load()
    assert loaded.token is None
    assert loaded.token_command == ("op", "read", "op://soc/okta token")
    assert (loaded.sign_in, loaded.sources["sign_in"]) == ("token", "environment EVICT_TOKEN_COMMAND")
    assert {row.name: row.value_masked for row in explain(loaded)}["token_command"] == "op and 2 words"
    monkeypatch.setenv("EVICT_TOKEN", CANARY)
    with pytest.raises(SettingsError, match="are both set"):
        load()
    monkeypatch.setenv("EVICT_TOKEN_COMMAND", "op 'read")
    monkeypatch.delenv("EVICT_TOKEN")
    with pytest.raises(SettingsError, match="a quote that is not closed"):
        load()


def test_no_command_is_taken_from_a_file_that_others_may_write() -> None:
    config = Path(os.environ["EVICT_CONFIG_DIR"])
    config.mkdir(parents=True)
    toml = config / "config.toml"
    toml.write_text('[profiles.prod]\ntoken_command = ["op", "read"]\n')
    toml.chmod(0o620)
    with pytest.raises(SettingsError, match="others may write it"):
        load(profile="prod")
    toml.chmod(0o644)
    assert load(profile="prod").token_command == ("op", "read")
