"""Every setting of Evict, where it may come from and which source wins.

Command line > environment > `config.toml` > `./okta.yaml` > `~/.okta/okta.yaml` > the defaults below.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from console import paths
from console.environment import variables
from console.settings_sources import (
    Layer,
    SettingsError,
    config_file,
    environment,
    okta_yaml,
    profile_names,
    settle_mode,
)
from console.settings_values import (
    Folder,
    Seconds,
    Ways,
    Words,
    check_token,
    command_of,
    dpop_of,
    existing_file,
    lower,
    org_url_of,
    proxy_of,
    word_of,
)
from console.text import count, sanitize

__all__ = ["Explained", "Settings", "SettingsError", "check_token", "explain", "load", "load_demo"]

CONNECTION = frozenset(
    {
        "org_url", "token", "token_file", "token_command", "token_prefix", "authorization_mode", "sign_in",
        "client_id", "private_key", "key_id", "scopes", "dpop", "profile", "colour", "ca_file", "proxy",
    }
)  # fmt: skip
"""What the demo org has no use for and must never hold."""


class Settings(BaseSettings):
    """What the operator decided. Frozen; lower layers get plain values from it, never the whole.

    Times are seconds, shares are fractions. Made by `load`; raises pydantic's ValidationError when made by hand.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False, env_prefix="EVICT_"
    )

    profile: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]{1,40}$")
    """Which `[profiles.NAME]` of `config.toml` is in use."""
    org_url: Annotated[str, AfterValidator(org_url_of)] | None = None
    """The org, `https://example.okta.com`."""
    token: Annotated[SecretStr, AfterValidator(check_token)] | None = None
    """API token, or a ready OAuth access token with the prefix `Bearer`."""
    token_file: Folder | None = None
    """A file (0600) with the token; asked for where no token is set in the same place or a stronger one."""
    token_command: Annotated[tuple[str, ...], BeforeValidator(command_of)] | None = None
    """A command, run without a shell, whose first line of output is the token."""
    token_prefix: str = Field(default="SSWS", pattern=r"^[A-Za-z][A-Za-z0-9-]{0,31}$")
    """The word before the token: `SSWS` or `Bearer`."""
    sign_in: Annotated[Literal["token", "service_app", "device"], BeforeValidator(lower)] | None = None
    """How: with `token`; as a service app, by `client_id` and `private_key`; or as the operator, by `client_id` and a
    code that is typed into a browser. None takes what there is, in this order."""
    client_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,128}$")
    """The OAuth app."""
    private_key: SecretStr | None = None
    """PEM text, a JWK, or the path of a file (0600) with one of them."""
    key_id: str | None = Field(default=None, pattern=r"^[\x21-\x7e]{1,256}$")
    """`kid` of the key, where Okta knows several of the app."""
    scopes: Words = ("okta.users.read", "okta.users.manage")
    """What to ask for. Searches by group want `okta.groups.read` too."""
    dpop: Annotated[Literal["auto", "always", "never"], BeforeValidator(dpop_of)] = "auto"
    """Whether tokens are bound to a key of this process; `auto` finds out what the app demands."""
    ca_file: Annotated[Path, AfterValidator(existing_file)] | None = None
    """PEM file with the CA of a TLS-inspecting proxy."""
    proxy: Annotated[SecretStr, AfterValidator(proxy_of)] | None = None
    """`http://proxy.example.com:8080`; secret, as it may hold a password."""
    connect_timeout: Seconds = 5.0
    read_timeout: Seconds = 20.0
    deadline: Seconds = 30.0
    """For one call in all."""
    reserve: float = Field(default=0.2, ge=0, le=0.9, allow_inf_nan=False)
    """The share of each window left to everyone else in the org: 0.2 is 20 %."""
    in_flight: int = Field(default=8, ge=1, le=10)
    """Requests under way at once."""
    pace: Annotated[Literal["sprint", "spread"], BeforeValidator(lower)] = "sprint"
    emergency: bool = False
    """Use the reserve too."""
    oauth_tokens: bool = False
    """Also revoke OAuth tokens, unless said otherwise for a revocation."""
    forget_devices: bool = False
    """Also clear remembered factors, unless said otherwise for a revocation."""
    protected_users: Words = ()
    """IDs, logins, emails or globs of them that are never revoked."""
    protected_groups: Words = ()
    """IDs or exact names of groups whose members are never revoked."""
    service_account_patterns: Words | None = None
    """Globs of logins that are shown as service accounts; None for the guard's own list, empty for none."""
    admin_patterns: Words | None = None
    """Globs of logins that are shown as admins, besides those with an admin role; None for the guard's own list."""
    read_only: bool = False
    """Look, never revoke."""
    colour: Annotated[Literal["none", "red", "orange", "yellow", "green", "blue", "purple"], BeforeValidator(lower)] = (
        "none"
    )
    """What the org's name stands on, so that nobody takes one org for another."""
    theme: str = "evict-dark"
    terminal_colours: Annotated[Literal["auto", "truecolor", "256", "16", "none"], BeforeValidator(word_of)] = "auto"
    """What the terminal can show; `auto` believes TERM, COLORTERM and NO_COLOR. No matter of `colour`."""
    glyphs: Annotated[Literal["auto", "unicode", "ascii"], BeforeValidator(lower)] = "auto"
    """What to draw with; `auto` takes ASCII where the locale is not UTF-8 and on consoles with a poor font."""
    notify: Ways = ("bell", "title")
    """How the terminal tells of a batch to who looks elsewhere; `osc9` and `osc777` are desktop notifications."""
    remember: bool = True
    """Find the console as it was left: its screen, order, search and filter."""
    keys: dict[str, str] = Field(default_factory=dict)
    """Binding id to keys, `{"queue.add": "a,plus"}`."""
    data_dir: Folder = Field(default_factory=paths.data_dir)
    config_dir: Folder = Field(default_factory=paths.config_dir)
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(lower)] = "warning"
    """From what on something is kept in `evict.log`, beside the history; `warning` is only what went wrong."""
    sources: dict[str, str] = Field(default_factory=dict, repr=False, exclude=True)
    """Setting to the place it was read from; no setting itself."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over: a Settings made by hand reads neither environment nor files."""
        return (init_settings,)


KNOWN = tuple(name for name in Settings.model_fields if name != "sources")
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting as it stands; secrets are masked."""

    name: str
    value_masked: str
    source: str


def load(**overrides: Any) -> Settings:
    """The settings of this process; an override of None is one that was not given.

    Raises SettingsError whose message says, one line a problem, which setting, where it came from and what to do.
    """
    return _load(overrides, KNOWN)


def profiles() -> tuple[str, ...]:
    """The profiles there are. Raises SettingsError."""
    named = environment(variables(), KNOWN).values.get("config_dir")
    folder = Path(named).expanduser() if named else paths.config_dir()
    return profile_names(folder / "config.toml")


def load_demo(**overrides: Any) -> Settings:
    """As `load`, but blind to everything that concerns a real org: the demo needs no credential and gets none."""
    return _load(overrides, [name for name in KNOWN if name not in CONNECTION])


def _load(overrides: Mapping[str, Any], wanted: Collection[str]) -> Settings:
    given = {name: value for name, value in overrides.items() if value is not None}
    if unknown := [name for name in given if name not in KNOWN]:
        raise SettingsError(*(f"unknown setting {sanitize(name, limit=40)!r}" for name in unknown))
    layers = settle_mode(_only(layer, wanted) for layer in _layers(given, real="profile" in wanted))
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in layers:
        for name, value in layer.values.items():
            if name not in values:
                values[name] = value
                sources[name] = layer.where.get(name, "")
    try:
        return Settings(**values, sources=sources)
    except ValidationError as error:
        raise SettingsError(*_problems(error, sources)) from None


def _layers(given: dict[str, Any], *, real: bool) -> list[Layer]:
    """Every source, the strongest first. The folder of `config.toml` may come from the two before it."""
    shell = environment(variables(), KNOWN)
    named = given.get("config_dir") or shell.values.get("config_dir")
    folder = Path(named).expanduser() if named else paths.config_dir()
    known = [name for name in KNOWN if name != "config_dir"]
    # The demo has no profile: "" is none, whatever the file says.
    chosen = (given.get("profile") or shell.values.get("profile")) if real else ""
    profile, top = config_file(folder / "config.toml", known, chosen)
    if real:
        _agree(shell, profile)
    return [
        Layer(given, dict.fromkeys(given, "command line")),
        shell,
        profile,
        top,
        okta_yaml(Path("okta.yaml").absolute()),
        okta_yaml(Path.home() / ".okta" / "okta.yaml"),
    ]


def _agree(shell: Layer, profile: Layer) -> None:
    """Raise SettingsError where the environment names another org than the profile: one of them is a mistake, and
    the wrong people would be thrown out, or a token sent to the wrong org."""
    named, meant = shell.values.get("org_url"), profile.values.get("org_url")
    if named and meant and str(named).rstrip("/").lower() != str(meant).rstrip("/").lower():
        raise SettingsError(
            f"org_url ({shell.where['org_url']}) is another org than that of {profile.where['org_url']}: "
            "unset the variable, or name another profile"
        )


def _only(layer: Layer, wanted: Collection[str]) -> Layer:
    kept = {"authorization_mode", *wanted} if "token" in wanted else set(wanted)
    return Layer({name: value for name, value in layer.values.items() if name in kept}, layer.where)


def _problems(error: ValidationError, sources: Mapping[str, str]) -> list[str]:
    """What pydantic found, without the values it found it in."""
    problems = []
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(found["loc"][0]) if found["loc"] else "settings"
        message = found["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        hint = " (0.2 is 20 %)" if name == "reserve" else ""
        problems.append(f"{name} ({sources.get(name, DEFAULT)}) {message}{hint}")
    return problems


def check(name: str, value: Any) -> Any:
    """One setting as Evict would take it. Raises SettingsError, whose message says what to write instead."""
    try:
        return getattr(Settings(**{name: value}), name)
    except ValidationError as error:
        raise SettingsError(*_problems(error, {name: "your answer"})) from None


def explain(settings: Settings) -> list[Explained]:
    """Every setting with its value, secrets masked, and where it came from, in the order of the class."""
    return [
        Explained(name, _masked(name, getattr(settings, name)), settings.sources.get(name, DEFAULT)) for name in KNOWN
    ]


def _masked(name: str, value: Any) -> str:
    if value is None:
        return "built in" if name in ("service_account_patterns", "admin_patterns") else "not set"
    if name == "proxy":
        parts = urlsplit(value.get_secret_value())
        secret = "********@" if "@" in parts.netloc else ""
        return f"{parts.scheme}://{secret}{parts.netloc.rpartition('@')[2]}"
    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "token_command":
        return f"{sanitize(value[0])} and {count(len(value) - 1, 'word')}"  # one of them may be a secret
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}={keys}" for key, keys in value.items()) or "none"
    return sanitize(str(value))
