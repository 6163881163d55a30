"""The drawer: who a user is, what speaks against revoking it, what that would hit, and what Evict did to it before."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll

from console.history.records import RevocationRecord
from console.history.store import RecordFilter
from console.okta.models import User
from console.revocation.dossier import Dossier
from console.revocation.guard import Admin
from console.revocation.states import Item
from console.text import count, duration, sanitize
from console.ui.look import look, status
from console.ui.remapping import bound
from console.ui.screens.record import short_time
from console.ui.triage.badges import RISKY, Badges, options_words
from console.ui.triage.dossier_words import hit_pairs, membership_pairs
from console.ui.triage.intent import Intent
from console.ui.widgets.facts import Facts, Pair, pair, whole
from console.workspace import Workspace

SETTLE_S = 0.12
"""How long the cursor rests on a user before the history is asked."""
RECENT = 6
AGE_EVERY_S = 30.0


def age(moment: datetime | None, now: datetime) -> str:
    """`2026-11-20, 3 days ago`; within a day `14:03 UTC, 5 h ago`."""
    if moment is None:
        return "never"
    gone = (now - moment).total_seconds()
    if (days := int(gone // 86_400)) > 0:
        long = count(days // 365, "year") if days >= 365 else count(days, "day")
        return f"{moment:%Y-%m-%d}, {long} ago"
    ago = f"{int(gone // 3600)} h" if gone >= 3600 else duration(round(max(0.0, gone)))
    return f"{moment.astimezone(UTC):%H:%M} UTC, {ago} ago"


def identity_pairs(user: User, now: datetime) -> list[Pair]:
    """Who it is."""
    profile = user.profile
    shown, style = status(user.status)
    rows = [
        whole(user.name or user.login or user.id, "$foreground bold"),
        pair("login", user.login or "none"),
        pair("email", user.email if user.email != user.login else "same as login"),
        pair("id", user.id),
        pair("status", shown, style=style),
        pair("signed in", age(user.last_login, now)),
        pair("password", f"set {age(user.password_changed, now)}" if user.password_changed else "never set"),
    ]
    job = ", ".join(part for part in (profile.title, profile.department) if part)
    if job:
        rows.append(pair("works as", job))
    if profile.manager:
        rows.append(pair("manager", profile.manager))
    if profile.user_type:
        rows.append(pair("type", profile.user_type))
    return rows


def warning_pairs(user: User, workspace: Workspace) -> list[Pair]:
    """What speaks against revoking it."""
    rows = []
    if (refusal := workspace.guard.check(user)) is not None:
        rows.append(whole(f"⊘ The guard keeps it out: it {refusal}.", "$state-denied"))
    if workspace.guard.looks_like_service(user):
        rows.append(whole("≈ Looks like a service account: software may stop working.", "$state-retrying"))
    if (admin := workspace.guard.admin(user)) is not None:
        why = "Has an admin role" if admin is Admin.ROLE else "Looks like an admin by its login"
        rows.append(whole(f"◆ {why}: an incident may need it.", "$state-retrying"))
    if user.status in RISKY:
        rows.append(whole(f"■ {user.status}: it can't sign in anyway; sessions may still be open.", "$state-retrying"))
    return rows or [whole("Nothing speaks against revoking it.", "$quiet")]


def queue_pairs(item: Item | None, key: str = "+") -> list[Pair]:
    """Where it stands in the queue."""
    if item is None:
        return [whole(f"Not in the queue: {key} puts it there.", "$quiet")]
    shown = look(item.state)
    options = item.options
    words = options_words(oauth_tokens=options.oauth_tokens, forget_devices=options.forget_devices)
    rows = [pair("queue", shown.text, style=shown.style), pair("revokes", words)]
    if item.case:
        rows.append(pair("case", sanitize(item.case)))
    if item.attempts:
        answered = "no answer" if item.status is None else str(item.status)
        rows.append(pair("attempts", f"{item.attempts}, last {answered} {item.error_code or ''}".rstrip()))
    if item.note:
        rows.append(pair("note", sanitize(item.note, limit=300)))
    if item.request_id:
        rows.append(pair("request", sanitize(item.request_id)))
    return rows


def past_pairs(records: list[RevocationRecord]) -> list[Pair]:
    """What Evict did to it before, newest first."""
    if not records:
        return [whole("Evict has never revoked it.", "$quiet")]
    rows = [whole("Before", "$quiet bold")]
    for record in records:
        shown = look(record.outcome)
        who = sanitize(" ".join(part for part in (record.case, record.operator.os_user) if part))
        rows.append(pair(short_time(record.queued_at), f"{shown.text}  {who}", style=shown.style))
    return rows


class Details(VerticalScroll, can_focus=True):
    """Follows the user under the cursor while it is open."""

    def __init__(self, workspace: Workspace, badges: Badges, intent: Intent) -> None:
        super().__init__(classes="pane", id="details")
        self._workspace = workspace
        self._badges = badges
        self._intent = intent
        self._user: User | None = None
        self._unshown = False
        """Whether it was closed when it was told of the user: asking the history for nobody would hold up keys."""
        self.border_title = "User"
        self._who = Facts(id="details-who")
        self._memberships = Facts(id="details-memberships")
        self._guard = Facts(id="details-guard")
        self._standing = Facts(id="details-queue")
        self._hits = Facts(id="details-hits", name_cells=8)
        self._past = Facts(id="details-past", name_cells=16)

    def on_mount(self) -> None:
        """Follow what Okta tells."""
        self._workspace.dossiers.on_change = self._told
        self.set_interval(AGE_EVERY_S, self.show_dossier)

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        self.look_away()

    def on_hide(self) -> None:
        """It is closed."""
        self.look_away()

    def on_show(self) -> None:
        """It is opened: who has come under the cursor meanwhile?"""
        if self._unshown:
            self.show(self._user)

    def compose(self) -> ComposeResult:
        """Three groups, beside or below each other."""
        with Horizontal(id="details-groups"):
            with Vertical(id="details-identity"):
                yield self._who
                yield self._memberships
            with Vertical(id="details-warnings"):
                yield self._guard
                yield self._standing
                yield self._hits
            yield self._past

    def show(self, user: User | None) -> None:
        """Another user, or the same one with news; while it is closed, no more than who it is."""
        if not self.display:
            self._user, self._unshown = user, True
            self.look_away()
            return
        same = user is not None and self._user is not None and user.id == self._user.id and not self._unshown
        self._user, self._unshown = user, False
        if user is None:
            self.look_away()
            for part in (self._memberships, self._guard, self._standing, self._hits, self._past):
                part.show(())
            self._who.show([whole("No user under the cursor.", "$quiet")])
            return
        self._workspace.dossiers.look_at(user.id)
        self._who.show(identity_pairs(user, self._workspace.clock.now()))
        self._standing.show(queue_pairs(self._badges.item(user), bound("triage.stage", self._workspace.settings.keys)))
        self.show_dossier()
        if not same:
            self._past.show(())
            self.scroll_home(animate=False)
        self._look_back(user, settle=not same)

    # What Okta knows besides

    def look_away(self) -> None:
        """Nobody is looked at: what is being asked is given up."""
        self._workspace.dossiers.look_at(None)

    def _told(self, dossier: Dossier) -> None:
        if self._user is not None and self._user.id == dossier.user_id:
            self.show_dossier()

    def show_dossier(self) -> None:
        """What is known by now, and what it means for a revocation with the options as they are."""
        user = self._user
        if user is None or not self.display or not self.is_mounted:
            return
        dossier = self._workspace.dossiers.known(user.id)
        item = self._badges.item(user)
        tokens = (self._intent if item is None else item).options.oauth_tokens
        asked = "" if dossier.asked_at is None else age(dossier.asked_at, self._workspace.clock.now())
        self._guard.show(warning_pairs(user, self._workspace))
        self._memberships.show(membership_pairs(dossier))
        self._hits.show(hit_pairs(dossier, tokens=tokens, asked=asked))

    @work(exclusive=True, group="details")
    async def _look_back(self, user: User, *, settle: bool) -> None:
        if settle:
            await asyncio.sleep(SETTLE_S)
        wanted = RecordFilter(user=user.id)
        records = await asyncio.to_thread(self._workspace.history.records, wanted, limit=RECENT)
        if self._user is not None and self._user.id == user.id:
            self._past.show(past_pairs(records))
