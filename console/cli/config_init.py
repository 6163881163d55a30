"""`evict config init`: asks how an org is reached and writes a profile. Never asks for a secret, never writes one."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from console.cli.exits import OK, USAGE
from console.cli.failures import Stop
from console.cli.output import Output
from console.cli.parts import percent
from console.config_writing import Value, add_profile
from console.paths import config_dir
from console.settings import Settings, check, profiles

TRIES = 5
WAYS = {"1": "token", "2": "service_app", "3": "device"}
COLOURS: tuple[str, ...] = ("none", "red", "orange", "yellow", "green", "blue", "purple")
NEXT = {
    "token": 'export EVICT_TOKEN="$(cat token-file)"   (no token is kept in config.toml)\n  ',
    "service_app": "",
    "device": "",
}


def run(args: argparse.Namespace) -> int:
    """Carry out `evict config init`."""
    with Output() as out:
        if not out.interactive:
            raise Stop("config init asks questions: run it in a terminal, or write config.toml by hand", USAGE)
        folder = os.environ.get("EVICT_CONFIG_DIR")
        path = config_dir(Path(folder).expanduser() if folder else None) / "config.toml"
        name, values = _ask(_Questions(out), profiles())
        out.talk(f"\n[profiles.{name}] of {path}:")
        for setting, value in values.items():
            out.talk(f"  {setting} = {', '.join(value) if isinstance(value, list) else value}")
        if out.ask("Write it? [y/N]").lower() not in ("y", "yes"):
            out.talk("Nothing was written.")
            return OK
        add_profile(path, name, values)
        out.talk(f"Written. Next:\n  {NEXT[str(values['sign_in'])]}evict --profile {name} doctor")
    return OK


class _Questions:
    """Asks until the answer can be used; a few times at most."""

    def __init__(self, out: Output) -> None:
        self._out = out

    def ask(self, question: str, read: Callable[[str], Any]) -> Any:
        """The first answer that `read` takes; it raises ValueError with what is wrong."""
        for _ in range(TRIES):
            try:
                return read(self._out.ask(question))
            except ValueError as error:
                self._out.talk(f"  {error}")
        raise Stop("nothing was written", USAGE)


def _ask(questions: _Questions, there: tuple[str, ...]) -> tuple[str, dict[str, Value]]:
    """The profile's name and settings."""
    ask = questions.ask
    values: dict[str, Value] = {"org_url": ask("Org URL, https://example.okta.com:", _setting("org_url"))}
    name: str = ask("Name of the profile, such as prod:", lambda text: _name(text, there))
    way = ask("Sign in with 1 an API token, 2 a service app, 3 your own account (a code): [1]", _way)
    values["sign_in"] = way
    if way != "token":
        values["client_id"] = ask("Client ID of the app:", _setting("client_id"))
        scopes = ask("Scopes, between commas: [okta.users.read, okta.users.manage]", _words)
        values["scopes"] = scopes or list(Settings.model_fields["scopes"].default)
    if way == "service_app":
        values["private_key"] = ask("File of the app's private key (0600):", _key_file)
    colour = ask(f"Colour behind the org's name ({', '.join(COLOURS)}): [none]", _colour)
    reserve = ask("Percent of each window left to others, 0 to 90: [20]", _reserve)
    users = ask("Users never to be revoked, between commas (logins, IDs, *@example.com): [none]", _words)
    groups = ask("Groups whose members are never to be revoked, between commas: [none]", _words)
    chosen: Mapping[str, Value] = {
        "colour": colour, "reserve": reserve, "protected_users": users, "protected_groups": groups,
    }  # fmt: skip
    return name, values | {setting: value for setting, value in chosen.items() if value not in ("none", 0.2, [])}


def _setting(name: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if not text:
            raise ValueError("it can't be left empty")
        return check(name, text)

    return read


def _name(text: str, there: tuple[str, ...]) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", text):
        raise ValueError("a name has letters, digits, hyphens, dots and underscores, 40 at most")
    if text in there:
        raise ValueError(f"there is a profile {text} already: choose another name; nothing is replaced")
    return text


def _way(text: str) -> str:
    if (way := WAYS.get(text or "1")) is None:
        raise ValueError("answer 1, 2 or 3")
    return way


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _key_file(text: str) -> str:
    """A path, absolute; what looks like the key itself is not taken."""
    if not text or "-----BEGIN" in text or text.startswith("{"):
        raise ValueError("name the file; the key itself is not written into config.toml")
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise ValueError("there is no such file")
    return str(path)


def _colour(text: str) -> str:
    colour = text.lower() or "none"
    if colour not in COLOURS:
        raise ValueError(f"choose one of {', '.join(COLOURS)}")
    return colour


def _reserve(text: str) -> float:
    try:
        return percent(text) if text else 0.2
    except argparse.ArgumentTypeError as error:
        raise ValueError(str(error)) from None
