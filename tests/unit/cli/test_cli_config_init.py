"""`evict config init` writes what it was told, nothing over anything, and no secret."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import pytest

from console.config_writing import add_profile
from console.settings import SettingsError, load
from tests.support.cli import TOKEN, Done, Shell

URL = "https://acme.okta.com"
TOKEN_WAY = (URL, "prod", "1", "red", "35", "root@acme.test, 00u1", "Break Glass", "y")


@pytest.fixture
def path(evict: Shell, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("EVICT_ORG_URL")
    monkeypatch.delenv("EVICT_TOKEN")
    return Path(os.environ["EVICT_CONFIG_DIR"]) / "config.toml"


def answers(evict: Shell, *lines: str) -> Done:
    return evict("config", "init", answer="\n".join(lines))


def test_a_profile_with_a_token(evict: Shell, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = answers(evict, *TOKEN_WAY)
    assert done.code == 0
    assert "evict --profile prod doctor" in done.err
    assert "EVICT_TOKEN" in done.err
    assert tomllib.loads(path.read_text()) == {
        "profiles": {
            "prod": {
                "org_url": URL, "sign_in": "token", "colour": "red", "reserve": 0.35,
                "protected_users": ["root@acme.test", "00u1"], "protected_groups": ["Break Glass"],
            }
        }
    }  # fmt: skip
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    monkeypatch.setenv("EVICT_PROFILE", "prod")
    settings = load()
    assert (settings.org_url, settings.colour, settings.reserve) == (URL, "red", 0.35)
    shown = evict("config", "show")
    assert "Profile in use: prod, colour red" in shown.out


def test_a_service_app_by_the_path_of_its_key(evict: Shell, path: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----canary")
    secret = "-----BEGIN PRIVATE KEY-----abc"
    done = answers(evict, URL, "prod", "2", "0oa1", "", secret, str(tmp_path / "no"), str(key), *[""] * 4, "y")
    assert done.code == 0
    assert "the key itself is not written" in done.err
    assert "no such file" in done.err
    text = path.read_text()
    assert tomllib.loads(text)["profiles"]["prod"] == {
        "org_url": URL, "sign_in": "service_app", "client_id": "0oa1",
        "scopes": ["okta.users.read", "okta.users.manage"], "private_key": str(key),
    }  # fmt: skip
    assert "canary" not in text
    assert "BEGIN" not in text


def test_what_is_there_stays_as_it_is(evict: Shell, path: Path) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    before = '# mine\nprofile = "old"\n\n[profiles.old]   # odd   spaces\norg_url="https://old.okta.com"'
    path.write_text(before)
    assert answers(evict, URL, "old", "prod", "1", *[""] * 4, "y").code == 0
    assert path.read_text().startswith(before + "\n\n[profiles.prod]\n")
    assert tomllib.loads(path.read_text())["profiles"].keys() == {"old", "prod"}
    shown = evict("config", "show")
    assert "Profile in use: old, colour none. Others: prod" in shown.out


def test_a_wrong_answer_is_asked_again_and_says_what_to_write(evict: Shell, path: Path) -> None:
    done = answers(
        evict, "", "https://acme-admin.okta.com", URL, "a b", "prod", "4", "1", "mauve", "", "200", "", "", "", "y"
    )
    assert done.code == 0
    for said in ("use https://acme.okta.com", "a name has letters", "answer 1, 2 or 3", "choose one of", "0 to 90"):
        assert said in done.err
    assert TOKEN not in path.read_text()


@pytest.mark.parametrize("lines", [(*TOKEN_WAY[:-1], "n"), TOKEN_WAY[:3], ("x",) * 9])
def test_without_a_yes_nothing_is_written(evict: Shell, path: Path, lines: tuple[str, ...]) -> None:
    answers(evict, *lines)
    assert not path.exists()


def test_it_wants_a_terminal(evict: Shell, path: Path) -> None:
    done = evict("config", "init", stdin="\n".join(TOKEN_WAY).encode())
    assert done.code == 2
    assert not path.exists()


@pytest.mark.parametrize(
    "before", ["profiles = { old = { reserve = 0.1 } }\n", "not toml", "[profiles.prod]\nreserve = 0.1\n", 'x = """\n']
)
def test_a_file_that_can_take_no_more_is_left_alone(path: Path, before: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text(before)
    with pytest.raises(SettingsError):
        add_profile(path, "prod", {"org_url": URL})
    assert path.read_text() == before


def test_odd_texts_come_back_as_they_were(path: Path) -> None:
    odd = 'a"b\\c\x7f\té\U0001f600 # ]'
    add_profile(path, "x.y", {"protected_groups": [odd]})
    assert tomllib.loads(path.read_text())["profiles"]["x.y"]["protected_groups"] == [odd]


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.toml"
    target.write_text("reserve = 0.1\n")
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.symlink_to(target)
    add_profile(path, "prod", {"org_url": URL})
    assert path.is_symlink()
    assert tomllib.loads(target.read_text())["profiles"] == {"prod": {"org_url": URL}}
