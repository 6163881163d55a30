"""Where settings come from: the environment, `config.toml` and Okta's own `okta.yaml`, each read into one layer.

Nothing here puts a value into a message: what was read may be a secret.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import stat
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.text import sanitize

MAX_FILE_BYTES = 1024 * 1024
"""Okta's own limit for okta.yaml; a larger file is no settings file."""

PREFIX = "EVICT_"
OKTA_ENVIRONMENT = {
    "OKTA_CLIENT_ORGURL": "org_url",
    "OKTA_CLIENT_TOKEN": "token",
    "OKTA_CLIENT_AUTHORIZATIONMODE": "authorization_mode",
    "OKTA_CLIENT_CLIENTID": "client_id",
    "OKTA_CLIENT_SCOPES": "scopes",
    "OKTA_CLIENT_PRIVATEKEY": "private_key",
}
OKTA_YAML = {
    "orgUrl": "org_url",
    "token": "token",
    "authorizationMode": "authorization_mode",
    "clientId": "client_id",
    "scopes": "scopes",
    "privateKey": "private_key",
    "kid": "key_id",
    "dpopEnabled": "dpop",
}
AUTHORIZATION_MODES = {"ssws": "SSWS", "bearer": "Bearer"}
SECRETS = ("token", "private_key")
"""What is taken only from a file that nobody else may read."""

TOKEN_SOURCES = ("token", "token_file", "token_command")
"""Where the token may come from; one of them."""

TOKEN, SERVICE_APP, DEVICE = "token", "service_app", "device"
"""The ways of signing in."""

LISTS = frozenset({"protected_users", "protected_groups", "service_account_patterns", "admin_patterns", "scopes"})
TABLES = frozenset({"keys"})


class SettingsError(ValueError):
    """Settings that can't be used. `problems`: one sentence each, with the setting, its source and what to do."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Layer:
    """The settings that one source names, and for each the exact place, in words."""

    values: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)


def environment(environ: Mapping[str, str], known: Collection[str]) -> Layer:
    """`EVICT_*`, and Okta's own variables where Evict's are not set. An empty variable counts as not set.

    Raises SettingsError for a variable that is nearly one of ours (`EVICT_READONLY`): a typo must not switch off what
    it was meant to switch on. Others are left alone.
    """
    ours = {PREFIX + name.upper(): name for name in known}
    values: dict[str, Any] = {}
    where: dict[str, str] = {}
    problems = []
    for variable in environ:
        if variable.startswith(PREFIX) and variable not in ours:
            near = difflib.get_close_matches(variable, ours, n=1, cutoff=0.85)
            if near:
                problems.append(
                    f"the environment variable {sanitize(variable, limit=60)} is unknown: did you mean {near[0]}?"
                )
    if problems:
        raise SettingsError(*problems)
    for variable, name in (*ours.items(), *OKTA_ENVIRONMENT.items()):
        if (value := environ.get(variable, "")) and name not in values:
            values[name] = _decoded(name, value, variable)
            where[name] = f"environment {variable}"
    return Layer(values, where)


def _decoded(name: str, value: str, variable: str) -> Any:
    """Lists and tables arrive in the environment as JSON; a list also as words between commas."""
    if name not in LISTS | TABLES:
        return value
    if name in LISTS and not value.lstrip().startswith("["):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise SettingsError(f"{name} (environment {variable}) is not valid JSON") from None


def config_file(path: Path, known: Collection[str], profile: str | None = None) -> tuple[Layer, Layer]:
    """`config.toml`: the profile that is in use, and what stands above all profiles.

    `profile` was named elsewhere ("" is none at all); else the file's own `profile` says which. Every key
    must be known, and a secret is taken only from a file that nobody else may read. A missing file is two empty
    layers. Raises SettingsError.
    """
    if (content := _read(path)) is None:
        if profile:
            raise SettingsError(f"there is no profile {sanitize(profile, limit=40)!r}: {path} does not exist")
        return Layer(), Layer()
    try:
        values = tomllib.loads(content)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = re.search(r"\(at [^()]*\)", str(error))
        raise SettingsError(f"{path} is not valid TOML {place.group() if place else ''}".rstrip()) from None
    profiles = values.pop("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(one, dict) for one in profiles.values()):
        raise SettingsError(f"profiles in {path} must be tables, such as [profiles.prod]")
    problems = [_unknown_key(key, known, path) for key in values if key not in known]
    inside = [name for name in known if name != "profile"]
    for title, one in profiles.items():
        problems += [_unknown_key(key, inside, f"{path} [profiles.{title}]") for key in one if key not in inside]
    for name in SECRETS:
        if (
            any(name in one for one in (values, *profiles.values()))
            and os.name == "posix"
            and stat.S_IMODE(path.stat().st_mode) & 0o077
        ):
            what = name.replace("_", " ")
            problems.append(
                f"{path} holds a {what} but others may read it: run  chmod 600 {path}  and renew the {what}"
            )
    problems += _unsafe_commands(path, (values, *profiles.values()))
    if problems:
        raise SettingsError(*problems)
    chosen = _chosen(profile if profile is not None else values.get("profile"), profiles, path)
    section = f"{path} [profiles.{profile or values.get('profile')}]"
    return Layer(chosen, dict.fromkeys(chosen, section)), Layer(values, dict.fromkeys(values, str(path)))


def _unsafe_commands(path: Path, tables: Iterable[Mapping[str, Any]]) -> list[str]:
    """Why no command is run that stands in this file: who can write it would decide what we run."""
    info = path.stat()
    if not any("token_command" in one for one in tables):
        return []
    if os.name == "posix" and (info.st_uid not in (os.getuid(), 0) or info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        return [f"{path} names a token_command but others may write it: own it and run  chmod 600 {path}"]
    return []


def profile_names(path: Path) -> tuple[str, ...]:
    """The profiles of `config.toml`, in its order. Raises SettingsError for a file that can't be read."""
    content = _read(path)
    try:
        profiles = tomllib.loads(content or "").get("profiles", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        raise SettingsError(f"{path} is not valid TOML") from None
    return tuple(profiles) if isinstance(profiles, dict) else ()


def _chosen(name: object, profiles: Mapping[str, dict[str, Any]], path: Path) -> dict[str, Any]:
    """The settings of the profile in use; none where none is. Raises SettingsError for one that there is not."""
    if name is None or name == "":
        return {}
    if not isinstance(name, str) or name not in profiles:
        there = ", ".join(sanitize(one, limit=40) for one in profiles) or "none"
        raise SettingsError(f"there is no profile {sanitize(str(name), limit=40)!r} in {path}; there are: {there}")
    return dict(profiles[name])


def _unknown_key(key: str, known: Iterable[str], path: Path | str) -> str:
    shown = sanitize(key, limit=40)
    near = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1, cutoff=0.5)
    return f"unknown setting {shown!r} in {path}" + (f": did you mean {near[0]}?" if near else "")


def okta_yaml(path: Path) -> Layer:
    """The part of Okta's `okta.yaml` that Evict understands; the rest belongs to Okta's SDKs and is ignored.

    A missing file is an empty layer. Raises SettingsError for one that can't be read, is larger than 1 MiB, is not
    YAML, or that somebody else may have written: it decides where the token is sent.
    """
    content = _read(path)
    if content is None:
        return Layer()
    import yaml  # most have no such file

    info = path.stat()
    if os.name == "posix" and (info.st_uid not in (os.getuid(), 0) or info.st_mode & stat.S_IWOTH):
        raise SettingsError(
            f"{path} may have been written by somebody else: it is not used. Own it and run  chmod 600 {path}"
        )
    try:
        document = yaml.safe_load(content)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise SettingsError(f"{path} is not valid YAML" + (f" (at line {mark.line + 1})" if mark else "")) from None
    client: Any = document
    for step in ("okta", "client"):
        client = client.get(step) if isinstance(client, dict) else None
    if not isinstance(client, dict):
        return Layer()
    values = {name: client[key] for key, name in OKTA_YAML.items() if client.get(key) not in (None, "")}
    return Layer(values, dict.fromkeys(values, str(path)))


def _read(path: Path) -> str | None:
    """The text of a settings file, None where there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise SettingsError(f"{path} is larger than 1 MiB: that is no settings file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text") from None


def settle_mode(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """The layers with Okta's `authorizationMode` turned into how to sign in.

    The strongest layer that names a mode or brings a credential decides: a `PrivateKey` below a layer with a token of
    its own is not in use, nor is a token below a layer with a `token_command`. Raises SettingsError for an unknown
    mode, and for a layer that names two places of the token.
    """
    settled = []
    named = False
    for layer in map(_settled, layers):
        there = [name for name in TOKEN_SOURCES if name in layer.values]
        if len(there) > 1 and not named:
            where = " and ".join(f"{name} ({layer.where.get(name, '')})" for name in there)
            raise SettingsError(f"{where} are both set: keep one of them")
        if named:
            layer = Layer({name: one for name, one in layer.values.items() if name not in there}, layer.where)
        named = named or bool(there)
        settled.append(layer)
    return tuple(settled)


def _settled(layer: Layer) -> Layer:
    values, where = dict(layer.values), dict(layer.where)
    mode, place = values.pop("authorization_mode", None), where.pop("authorization_mode", "")
    if mode is not None and str(mode).lower() == "privatekey":
        values.setdefault("sign_in", SERVICE_APP)
    elif mode is not None:
        values.setdefault("token_prefix", _prefix(mode, place))
        where.setdefault("token_prefix", place)
        values.setdefault("sign_in", TOKEN)
    elif any(name in values for name in TOKEN_SOURCES):
        values.setdefault("sign_in", TOKEN)
    elif "private_key" in values:
        values.setdefault("sign_in", SERVICE_APP)
    if "sign_in" in values:
        named = (where.get(name) for name in (*TOKEN_SOURCES, "private_key") if name in values)
        where.setdefault("sign_in", place or next(named, None) or "")
    return Layer(values, where)


def _prefix(mode: object, place: str) -> str:
    prefix = AUTHORIZATION_MODES.get(str(mode).lower())
    if prefix is None:
        raise SettingsError(f"authorizationMode ({place}) is none of SSWS, Bearer and PrivateKey")
    return prefix
