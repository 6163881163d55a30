"""What Okta knows of a user besides its profile, and what a revocation would do to it, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.okta.models import Listed
from console.revocation.dossier import Dossier, Part, names_of
from console.text import count
from console.ui.widgets.facts import Pair, pair, whole

NAMED = 6
"""Groups or clients that are named; the rest is counted."""
ERROR = "$state-failed"
WORRYING = "$state-retrying"


def membership_pairs(dossier: Dossier) -> list[Pair]:
    """Groups and admin roles, in whatever state they are."""
    return [
        _part(dossier, Part.GROUPS, "groups", lambda listed: (_named(listed, lambda group: group.name), "")),
        _part(dossier, Part.ROLES, "roles", _roles),
    ]


def hit_pairs(dossier: Dossier, *, tokens: bool, asked: str) -> list[Pair]:
    """What a revocation hits and what it leaves; `tokens` says whether OAuth tokens go, `asked` how old this is."""
    rows = [
        whole("A revocation", "$quiet bold"),
        pair("ends", "all sessions at Okta; apps may hold their own"),
        _part(dossier, Part.CLIENTS, "clients", lambda listed: (_clients(listed, tokens=tokens), "")),
        _part(dossier, Part.GRANTS, "grants", lambda listed: (_grants(listed), "")),
    ]
    if dossier.held:
        rows.append(whole(f"{dossier.held[:1].upper()}{dossier.held[1:]}: d asks anyway.", "$quiet"))
    elif asked:
        rows.append(whole(f"Asked {asked}; d asks again.", "$quiet"))
    return rows


def _part(dossier: Dossier, part: Part, name: str, words: Callable[[Listed[Any]], tuple[str, str]]) -> Pair:
    """One line: being asked, not asked, refused, or `words` with their style for what was told."""
    if (listed := dossier.answer(part)) is not None:
        text, style = words(listed)
        return pair(name, text, style=style or ("" if listed.rows else "$quiet"))
    if (failure := dossier.failures.get(part)) is not None:
        return pair(name, f"✕ {failure.why}", style=ERROR)
    if dossier.asking is part:
        return pair(name, "… asking", style="$quiet")
    return pair(name, "not asked" if dossier.held else "…", style="$quiet")


def _named(listed: Listed[Any], name: Callable[[Any], str]) -> str:
    """`Everyone, Sales and 12 more`; `none`."""
    names = names_of(listed, name)
    if not names:
        return "none"
    left = len(names) - NAMED
    more = f" and {left:,}{'+' * listed.more} more" if left > 0 else " and more" if listed.more else ""
    return ", ".join(names[:NAMED]) + more


def _roles(listed: Listed[Any]) -> tuple[str, str]:
    if not listed.rows:
        return "no admin role", "$quiet"
    return f"◆ {_named(listed, lambda role: role.name)}", WORRYING


def _number(listed: Listed[Any]) -> str:
    """`200+` where the first page is not all."""
    return f"{len(listed.rows):,}{'+' * listed.more}"


def _clients(listed: Listed[Any], *, tokens: bool) -> str:
    """Okta lists clients that have tokens or grants, and does not say which of both."""
    if not listed.rows:
        return "none has OAuth tokens or grants"
    many = len(listed.rows) > 1 or listed.more
    if tokens:
        does = f"{'lose' if many else 'loses'} any OAuth tokens"
    else:
        does = f"{'keep' if many else 'keeps'} any OAuth tokens unless t is on"
    return f"{_number(listed)} {does}: {_named(listed, lambda client: client.name or client.id)}"


def _grants(listed: Listed[Any]) -> str:
    """Consents stay whatever is revoked."""
    if not listed.rows:
        return "none"
    clients = len(names_of(listed, lambda grant: grant.client_id))
    stay = "stay" if len(listed.rows) > 1 else "stays"
    return f"{_number(listed)} to {count(clients, 'client')} {stay} in any case"
