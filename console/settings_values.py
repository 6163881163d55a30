"""What the values of settings may be, and how they are written."""

from __future__ import annotations

import ipaddress
import re
import shlex
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from console.text import sanitize

LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOSTNAME = re.compile(rf"(?=.{{1,253}}\Z){LABEL}(\.{LABEL})*", re.ASCII)


def _loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def org_url_of(value: str) -> str:
    """The org URL as scheme, host and port alone. Raises ValueError with what to write instead."""
    text = value.strip()
    if "{yourOktaDomain}" in text:
        raise ValueError("still holds the placeholder {yourOktaDomain}: put your org's address there")
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("must be plain ASCII without spaces, such as https://example.okta.com")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not a URL such as https://example.okta.com") from None
    if parts.scheme not in {"https", "http"} or text.count("://") != 1:
        raise ValueError("must start with https://, such as https://example.okta.com")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password: write https://example.okta.com")
    if not HOSTNAME.fullmatch(host) and not _is_address(host):
        raise ValueError("names no valid host: it looks like https://example.okta.com")
    if parts.scheme == "http" and not _loopback(host):
        raise ValueError("must start with https:// (plain http is for this machine alone)")
    if "-admin." in host:
        raise ValueError(f"is the address of the admin console: use https://{host.replace('-admin.', '.', 1)}")
    if host.endswith(".com.com"):
        raise ValueError(f"ends in .com.com: use https://{host.removesuffix('.com')}")
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port != (443 if parts.scheme == "https" else 80):
        netloc = f"{netloc}:{port}"
    if parts.path.strip("/") or parts.query or parts.fragment or text[-1] in "?#":
        raise ValueError(f"must end after the host: use {parts.scheme}://{netloc}")
    return f"{parts.scheme}://{netloc}"


def check_token(value: SecretStr) -> SecretStr:
    """A token that may stand in a header. Raises ValueError, never with the token in it."""
    text = value.get_secret_value()
    if not text.strip():
        raise ValueError("is empty: create an API token in the Okta admin console under Security > API > Tokens")
    if text.strip() == "{apiToken}":
        raise ValueError("still holds the placeholder {apiToken}: put your API token there")
    if text.lower().startswith(("ssws ", "bearer ")):
        raise ValueError("must be the token alone, without the word before it (that is token_prefix)")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("holds a space, a control character or a letter that no token has: copy it again")
    return value


def proxy_of(value: SecretStr) -> SecretStr:
    """A proxy URL; it may hold a password, so it is never shown whole."""
    text = value.get_secret_value()
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
        # A password with one of /?# in it would be taken for a path, and the start of it for the port.
        usable = usable and not (parts.path.strip("/") or parts.query or parts.fragment)
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or " " in text:
        raise ValueError(
            "must look like http://proxy.example.com:8080 (in a password write / ? # @ as %2F %3F %23 %40)"
        )
    return value


def existing_file(value: Path) -> Path:
    """A file that is there. Raises ValueError."""
    path = value.expanduser()
    if not path.is_file():
        raise ValueError(f"names no file: {sanitize(str(path))}")
    return path


def words_of(value: Any) -> Any:
    """One word where a list is wanted is a list of one; words are stripped, empty ones go."""
    words = (value,) if isinstance(value, str) else value
    if isinstance(words, list | tuple) and all(isinstance(word, str) for word in words):
        return tuple(word.strip() for word in words if word.strip())
    return value


def command_of(value: Any) -> Any:
    """A command as words: one string is split as a shell would, and nothing else of a shell happens to it."""
    if isinstance(value, str):
        try:
            value = shlex.split(value)
        except ValueError:
            raise ValueError("has a quote that is not closed") from None
    if isinstance(value, list | tuple) and (not value or not all(isinstance(one, str) for one in value)):
        raise ValueError('must be a command, such as "op read op://soc/okta/token"')
    return value


def dpop_of(value: Any) -> Any:
    """Okta's `dpopEnabled` is a flag; it says what may be, and so does `auto`."""
    if isinstance(value, bool):
        return "always" if value else "auto"
    return lower(value)


def lower(value: Any) -> Any:
    """Text in small letters; anything else as it is."""
    return value.strip().lower() if isinstance(value, str) else value


def word_of(value: Any) -> Any:
    """A number that names something is a word: `16` for `"16"`."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else lower(value)


Words = Annotated[tuple[str, ...], BeforeValidator(words_of)]
Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser())]
Ways = Annotated[tuple[Literal["bell", "title", "osc9", "osc777"], ...], BeforeValidator(words_of)]
Seconds = Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)]
