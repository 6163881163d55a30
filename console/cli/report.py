"""What became of every target of `evict revoke`: a line each, a summary, and the exit code that follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from console.cli.exits import INCOMPLETE, OK
from console.cli.output import Output
from console.okta.models import User
from console.revocation.forecast import Plan
from console.revocation.states import OUTCOMES, Item, Options, State
from console.text import count, duration


@dataclass(slots=True)
class Report:
    """Prints lines as they come and counts them. Every target ends in exactly one of the counts."""

    out: Output
    options: Options
    case: str = ""
    outcomes: dict[State, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    queued: int = 0
    """In the history, not sent."""
    unresolved: int = 0
    """Targets that are nobody, or more than one user."""
    unsent: int = 0
    """Targets whose turn did not come."""
    refused: int = 0
    duplicates: int = 0
    planned: int = 0
    """Users whom a dry run would revoke."""
    takes: Plan | None = None
    """What that would take."""
    before: dict[str, int] = field(default_factory=dict)
    """Of a batch that is resumed: how it stood, by outcome."""

    def revocation(self, item: Item) -> None:
        """How one revocation ended; what has no outcome is `queued`."""
        if item.state.final:
            self.outcomes[item.state] += 1
        else:
            self.queued += 1
        outcome = item.state.value if item.state.final else State.QUEUED.value
        self._show(outcome, item.user, item.note, {
            "type": "revocation",
            "id": item.id,
            "batch_id": item.batch_id,
            "user_id": item.user.id,
            "login": item.user.login,
            "outcome": outcome,
            "status": item.status,
            "error_code": item.error_code,
            "request_id": item.request_id,
            "attempts": item.attempts,
            "oauth_tokens": item.options.oauth_tokens,
            "forget_devices": item.options.forget_devices,
            "case": item.case,
            "why": item.note,
        })  # fmt: skip

    def unresolved_target(self, text: str, why: str, line: int | None = None) -> None:
        """A target that gave no user."""
        self.unresolved += 1
        self._show_target("unresolved", text, why, line, {})

    def unsent_target(self, text: str, user: User | None, why: str, line: int | None = None) -> None:
        """A target whose turn did not come; `user` where it was looked up already. No record is kept of it."""
        self.unsent += 1
        known = {"user_id": user.id if user else None, "login": user.login if user else None}
        self._show_target("unsent", text, why, line, known)

    def _show_target(self, word: str, text: str, why: str, line: int | None, facts: dict[str, Any]) -> None:
        if self.out.as_json:
            self.out.record({"type": word, "target": text, "line": line, **facts, "why": why})
        else:
            place = f" (line {line})" if line else ""
            self.out.row([(word, 11), (f"{text}{place}: {why}", 0)])

    def refused_user(self, user: User, target: str, why: str) -> None:
        """A user whom the guard keeps out."""
        self.refused += 1
        facts = {"type": "refused", "target": target, "user_id": user.id, "login": user.login, "why": why}
        self._show("refused", user, why, facts)

    def plan(self, user: User, *, service: bool, admin: bool, options: Options | None = None) -> None:
        """A user whom a dry run would revoke; `service`: software may stand behind the account.

        `options` are the user's own, where they are not the same for all.
        """
        self.planned += 1
        options = options or self.options
        notes = [user.status] + ["looks like a service account"] * service
        notes += ["looks like an admin"] * admin
        self._show("planned", user, ", ".join(notes), {
            "type": "planned",
            "user_id": user.id,
            "login": user.login,
            "name": user.name,
            "user_status": user.status,
            "service_account": service,
            "admin": admin,
            "oauth_tokens": options.oauth_tokens,
            "forget_devices": options.forget_devices,
            "case": self.case,
        })  # fmt: skip

    def price(self, plan: Plan, words: str) -> None:
        """What a dry run would take, for real."""
        self.takes = plan
        self.out.talk(f"takes {words}")

    def _show(self, word: str, user: User, note: str, facts: dict[str, Any]) -> None:
        if self.out.as_json:
            self.out.record(facts)
        else:
            self.out.row([(word, 11), (user.id, 20), (user.login, 40), (note, 0)])

    def summary(self, *, elapsed_s: float, rate_limited: int, batch_id: str | None = None, dry_run: bool) -> None:
        """The last line: all counts. `rate_limited` is the number of 429s met."""
        if self.out.as_json:
            self.out.record({
                "type": "summary",
                **{state.value: number for state, number in self.outcomes.items()},
                "queued": self.queued,
                "unresolved": self.unresolved,
                "unsent": self.unsent,
                "refused": self.refused,
                "duplicates": self.duplicates,
                "planned": self.planned,
                "dry_run": dry_run,
                **self._price(),
                **({"before": self.before} if self.before else {}),
                "batch_id": batch_id,
                "case": self.case,
                "elapsed_s": round(elapsed_s, 3),
                "rate_limited": rate_limited,
            })  # fmt: skip
        self.out.talk(self.words(elapsed_s))

    def _price(self) -> dict[str, object]:
        """Of a dry run: requests, windows and seconds; the last two null where the org tells no limit."""
        if self.takes is None:
            return {}
        seconds = self.takes.seconds
        return {
            "requests": self.takes.requests,
            "windows": None if seconds is None else self.takes.windows,
            "expected_s": None if seconds is None else round(seconds, 1),
        }

    def words(self, elapsed_s: float) -> str:
        """The summary for people."""
        parts = [f"{number:,} {state.value.replace('_', ' ')}" for state, number in self.outcomes.items() if number]
        more = {
            "would be revoked; nothing was sent": self.planned,
            "left queued": self.queued,
            "unresolved": self.unresolved,
            "not sent": self.unsent,
            "refused": self.refused,
        }
        parts += [f"{number:,} {words}" for words, number in more.items() if number]
        if self.duplicates:
            parts.append(f"{count(self.duplicates, 'duplicate')} folded")
        return f"{', '.join(parts) or 'Nothing to do'} ({duration(elapsed_s)})"

    @property
    def code(self) -> int:
        """The exit code of a run that was not cut short."""
        left = sum(number for state, number in self.outcomes.items() if state is not State.REVOKED)
        return INCOMPLETE if left or self.queued or self.unresolved or self.unsent or self.refused else OK
