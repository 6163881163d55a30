"""Where the token comes from: a setting, a file, a command, or the keyring. Nothing of it is ever in a message."""

from __future__ import annotations

import os
import selectors
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from console.environment import OURS
from console.kept import KeptToken
from console.keyring_store import KeyringUnavailable
from console.paths import UnsafePathError, read_secret_file
from console.settings import Settings, SettingsError, check_token
from console.text import sanitize

MOST_BYTES = 64 * 1024
COMMAND_S = 30.0
"""How long a command may take, with somebody who types a code into it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A token, and the place that it is from, in words."""

    token: SecretStr
    where: str


def find_token(
    settings: Settings, *, limit_s: float = COMMAND_S, monotonic: Callable[[], float] = time.monotonic
) -> Found | None:
    """The token of these settings; None where there is none, also not in the keyring. Blocks.

    A command has `limit_s` seconds of `monotonic`. The keyring is asked only where no place is named. Raises
    SettingsError for one that is named and gives none.
    """
    if settings.token is not None:
        return Found(settings.token, settings.sources.get("token", "") or "the settings")
    if settings.token_file is not None:
        where = _named("token_file", settings)
        try:
            text = read_secret_file(settings.token_file, limit=MOST_BYTES)
        except UnsafePathError as error:
            raise SettingsError(f"{where} {error}") from None
        return Found(_checked(text.partition("\n")[0].strip(), where), str(settings.token_file))
    if settings.token_command is not None:
        where = _named("token_command", settings)
        text = run_command(settings.token_command, where, environ=os.environ, limit_s=limit_s, monotonic=monotonic)
        return Found(_checked(text, where), f"the command {sanitize(settings.token_command[0])}")
    return _kept(settings)


def _kept(settings: Settings) -> Found | None:
    try:
        token = KeptToken(settings.org_url or "").get()
    except KeyringUnavailable:
        return None  # a machine without a keyring is no trouble: nobody said that the token is there
    return Found(_checked(token.get_secret_value(), "the token in the keyring"), "the keyring") if token else None


def _named(name: str, settings: Settings) -> str:
    place = settings.sources.get(name, "")
    return f"{name} ({place})" if place else name


def _checked(text: str, where: str) -> SecretStr:
    try:
        return check_token(SecretStr(text))
    except ValueError as error:
        raise SettingsError(f"{where} gives no token that can be used: it {error}") from None


def run_command(
    words: tuple[str, ...],
    where: str,
    *,
    environ: Mapping[str, str],
    limit_s: float,
    monotonic: Callable[[], float] = time.monotonic,
) -> str:
    """The first line that a command prints. It has our terminal and stderr, and `environ` without our secrets.

    Raises SettingsError where it can't be run, fails, prints nothing, or takes longer than `limit_s` seconds.
    """
    name = sanitize(words[0])
    environment = {variable: value for variable, value in environ.items() if variable.upper() not in OURS}
    try:
        # The operator's own command, and no shell: nothing in its words is anything but a word.
        process = subprocess.Popen(words, stdout=subprocess.PIPE, env=environment)  # noqa: S603
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it holds a character that no command has"
        raise SettingsError(f"{where} can't be run: {shlex.quote(name)}: {why}") from None
    try:
        text, ended = _read(process, monotonic() + limit_s, monotonic)
    finally:
        # Its own children may hold the pipe open for ever: nobody waits for those.
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    if not ended:
        raise SettingsError(f"{where} did not end within {limit_s:g} s: {name} was stopped")
    if process.returncode:
        raise SettingsError(
            f"{where} failed: {name} ended with {process.returncode}. What it said stands on the terminal"
        )
    line = text.partition(b"\n")[0]
    try:
        return line.decode().strip()
    except UnicodeDecodeError:
        raise SettingsError(f"{where} gives no token that can be used: {name} prints no text") from None


def _read(process: subprocess.Popen[bytes], until: float, monotonic: Callable[[], float]) -> tuple[bytes, bool]:
    """What it prints, as far as that can matter, and whether it came to its end in time."""
    if process.stdout is None:
        return b"", False
    pipe = process.stdout.fileno()
    text = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while (left := until - monotonic()) > 0:
            if not selector.select(left):
                continue
            part = os.read(pipe, MOST_BYTES)
            if not part:
                try:
                    process.wait(max(0.0, until - monotonic()))
                except subprocess.TimeoutExpired:
                    return text, False
                return text, True
            text = (text + part)[:MOST_BYTES]
    return text, False
