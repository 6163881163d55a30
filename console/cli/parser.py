"""What can be typed after `evict`, and the help for it. Imports argparse and nothing heavier."""

from __future__ import annotations

import argparse
from typing import Any

from console import __version__
from console.cli.history.parsing import add_history as _history
from console.cli.parts import json_option as _json
from console.cli.parts import make_parser as _parser
from console.cli.parts import number as _number
from console.cli.parts import percent as _percent

ROLES = ("super", "org", "help-desk", "group", "read-only", "report", "custom")
"""Admin roles that the demo org plays."""
DESCRIPTION = "Throw people out of Okta: find users, revoke their sessions, keep the proof."
EXITS = """\
exit codes:
  0  all revoked, or nothing to do     3    Okta refused the credential
  1  some not revoked                  130  interrupted
  2  wrong usage or settings
"""
CONNECT = """\
connect an org (the token is never an option, as process lists show those):
  export OKTA_CLIENT_ORGURL=https://example.okta.com
  export OKTA_CLIENT_TOKEN="$(cat token-file)"
  evict doctor
"""
QUERIES = """\
QUERY is one of
  00u1a2b3c4d5e6f7g8h9       an Okta ID
  mallory@example.com        the start of a login or email
  group:"Break Glass"        the members of a group
  '=status eq "LOCKED_OUT"'  an Okta search expression, sent as it is
  mallory                    the start of a login, email, first or last name
"""

TARGETS = f"""\
A TARGET is an Okta user ID, a login or an email. A file may be a list, a CSV
with a column of them, JSON, or any text: they are picked out of it.

Without --yes everybody is looked up first, and you are asked. With --yes the
first user is out while the rest is still being looked up. Accounts that the
settings protect, and your own, are refused.

With --json each line is an object with a type:
  revocation  user_id, login, outcome, status, error_code, request_id, attempts,
              oauth_tokens, forget_devices, case, why
  refused     target, user_id, login, why
  unresolved  target, line, why: it is nobody, or more than one user
  unsent      target, line, user_id, login, why: its turn did not come
  planned     of a dry run: user_id, login, name, user_status, service_account,
              admin
  summary     the last line: a count for each outcome, elapsed_s, rate_limited
An outcome is revoked, not_found, denied, failed, unknown (sent, no answer seen;
safe to send again), cancelled, or queued where sending was stopped.

With --plan the users, their options, the case and the reason are those of a
plan (evict plan). Everybody is looked up again first, and what is another than
was planned is shown; with --json as
  changed     user_id, login, what

examples:
  evict revoke mallory@example.com --oauth-tokens --case INC-2041
  evict revoke --from-file accounts.txt --dry-run
  evict revoke --plan inc-2041.json
  evict revoke --from-file accounts.txt --oauth-tokens \\
      --case INC-2041 --reason "token theft" --yes --json

{EXITS}"""

PLAN = f"""\
Looks everybody up as  evict revoke --dry-run  does, and keeps what would be
done in a file (0600): users with their status and options, whom the guard
refuses, what could not be resolved and why, case, reason, price, and by whom
and when it was made. Nothing is revoked.

A colleague looks at it with --show, which needs no org, and runs it:
  evict revoke --plan FILE
The file's checksum shows that it was changed; it proves nobody's hand, so hand
the checksum on by another way than the file.

With --json each line is an object: planned, refused, unresolved and summary as
of  evict revoke,  and plan: file, sha256, made_at, made_by, org, case, reason.

examples:
  evict plan --from-file accounts.txt --oauth-tokens --case INC-2041 \\
      --reason "token theft" --output inc-2041.json
  evict plan --show inc-2041.json

{EXITS}"""

RESUME = f"""\
Says how the batch stands and asks. Its users are sent under the IDs and with
the options, case and reason that they were confirmed with; the guard is asked
again. A batch of another operator, or one older than a day, must be named.

With --json each line is an object with a type:
  batch       one that was left unfinished: batch_id, confirmed_at, operator,
              case, reason, held (a console works on it), chosen, and a count
              for each outcome
  revocation  and the rest, as of  evict revoke
  summary     the last line; before: how the batch stood

examples:
  evict resume
  evict resume 01KAQ5ZK3N8V0T6W2Y4B7D9F1H --yes --json
  evict resume 01KAQ5ZK3N8V0T6W2Y4B7D9F1H --close

{EXITS}"""


SIMULATE = """\
examples:
  evict simulate --users 1000 --port 8080
  evict simulate --limit 60 --window 10 --latency 80 --fault revoke:503:0.05
  evict simulate --app service --dpop --token-life 60

ROUTE is one of revoke, users, user, groups, members, lifecycle, logs, org, own,
myaccount, roles, token, device, or * for all. KIND is a status such as 503,
lost (carried out, no answer), cut (never arrived), headerless, doubled or
garbage (rate headers). CHANCE is from 0 to 1.

What it holds can be read at /_demo/totals, /_demo/signed-in and
/_demo/state?user=ID.
ROLE is super, org, help-desk, group, read-only, report or custom. read-only
looks, report reads the System Log alone, custom searches and ends sessions and
no more; the others end sessions.

It needs uvicorn, which comes with the extra:  pipx install '.[simulate]'
"""

SERVE = """\
It listens on 127.0.0.1 alone, until Ctrl-C. Whoever opens the URL first has the
console, and nobody after: the browser is known by a cookie then. One tab at a
time; closing or reloading it ends its console in order, as closing a terminal
does, and what was not sent can be resumed.

examples:
  evict serve --demo
  evict --profile prod serve --port 8300

It needs textual-serve, which comes with the extra:  pipx install '.[serve]'
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command. What it returns holds `module`, the module of `console.cli` that carries it out."""
    parser = _parser(argparse.ArgumentParser, "evict", DESCRIPTION, f"{CONNECT}\n{EXITS}")
    parser.add_argument("--version", action="version", version=f"evict {__version__}")
    parser.add_argument("--profile", metavar="NAME", help="the [profiles.NAME] of config.toml to use")
    parser.set_defaults(module="screen", demo=False)
    commands = parser.add_subparsers(title="commands (without one, the console opens)", metavar="COMMAND")
    for add in (
        _demo, _serve, _simulate, _search, _plan, _revoke, _resume, _end_my_sessions, _history, _limits, _doctor, _auth,
        _config,
    ):  # fmt: skip
        add(commands)
    return parser


def _demo(commands: Any) -> None:
    what = "Open the console on an embedded demo org. Nothing leaves this machine."
    parser = _parser(commands.add_parser, "demo", what, "example:\n  evict demo --users 5000")
    parser.add_argument("--users", type=_number(1, 1_000_000), metavar="N", help="how many users the org has (300)")
    parser.add_argument("--seed", type=_number(0), metavar="N", help="another number makes another org (7)")
    parser.set_defaults(module="screen", demo=True)


def _serve(commands: Any) -> None:
    what = "Open the console in a browser of this machine. Its URL is good for one opening."
    parser = _parser(commands.add_parser, "serve", what, SERVE)
    add = parser.add_argument
    add("--port", type=_number(0, 65535), default=0, metavar="P", help="port to listen on (0: any that is free)")
    add("--demo", action="store_true", help="on an embedded demo org, as of  evict demo")
    add("--users", type=_number(1, 1_000_000), metavar="N", help="how many users the demo org has (300)")
    add("--seed", type=_number(0), metavar="N", help="another number makes another demo org (7)")
    parser.set_defaults(module="serve")


def _simulate(commands: Any) -> None:
    what = "Serve the demo org on loopback until Ctrl-C. Prints its URL and a token."
    parser = _parser(commands.add_parser, "simulate", what, SIMULATE)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="loopback address to listen on (%(default)s)")
    add("--port", type=_number(0, 65535), default=0, metavar="P", help="port to listen on (0: any that is free)")
    add("--users", type=_number(1, 1_000_000), default=300, metavar="N", help="how many users it has (%(default)s)")
    add("--seed", type=_number(0), default=7, metavar="N", help="another number makes another org (%(default)s)")
    add("--limit", type=_number(1), metavar="N", help="revocations a window for one token (300)")
    add("--lookups", type=_number(1), metavar="N", help="look-ups by ID a window for one token (1000)")
    add("--window", type=_number(1, 3600), default=60, metavar="S", help="seconds of a window (%(default)s)")
    add("--latency", type=_number(0, 60_000), default=0, metavar="MS", help="median time of an answer (%(default)s)")
    add("--engine", choices=("idx", "classic"), default="idx", help="which engine it plays (%(default)s)")
    add("--fault", action="append", default=[], metavar="F", help="trouble as ROUTE:KIND:CHANCE; may be repeated")
    add("--role", choices=ROLES, default="super", metavar="ROLE", help="admin role of its credential (%(default)s)")
    add("--app", choices=("service", "native"), help="have an OAuth app, and print its settings in place of a token")
    add("--dpop", action="store_true", help="the app demands DPoP, as Okta's service apps do by default")
    add("--token-life", type=_number(1, 86_400), default=3600, metavar="S", help="seconds of its tokens (%(default)s)")
    add(
        "--poll",
        type=_number(1, 60),
        default=5,
        metavar="S",
        help="seconds between two polls of a sign-in (%(default)s)",
    )
    parser.set_defaults(module="simulate")


def _end_my_sessions(commands: Any) -> None:
    what = (
        "End your own sessions, by your sign-in or by your browser's session cookie, which is asked for and forgotten."
    )
    epilog = """\
By your sign-in, where you sign in with a code and the scope
okta.myAccount.sessions.manage; what was used is said, and recorded.

Else Okta wants the cookie (idx on Identity Engine, sid on Classic Engine). It is
typed without echo, or read from a pipe, goes to the org with one request, and
nowhere else.

With --json one object: type own_sessions, by (sign_in or cookie), call,
kept_current, login, cookie (its name), outcome, status, error_code, request_id,
why

examples:
  evict end-my-sessions
  pbpaste | evict end-my-sessions --cookie --include-current
"""
    parser = _parser(commands.add_parser, "end-my-sessions", what, epilog)
    words = "end the current session too: that of the cookie, or of the sign-in"
    parser.add_argument("--include-current", action="store_true", help=words)
    parser.add_argument("--cookie", action="store_true", help="by the cookie, whatever the sign-in may do")
    parser.add_argument("--yes", action="store_true", help="do not ask, where it goes by the sign-in")
    _json(parser)
    parser.set_defaults(module="end_my_sessions")


def _search(commands: Any) -> None:
    epilog = f"{QUERIES}\nexample:\n  evict search group:Contractors --json"
    parser = _parser(commands.add_parser, "search", "Find users.", epilog)
    parser.add_argument("query", metavar="QUERY", nargs="+", help="who to look for, see below")
    _json(parser)
    parser.set_defaults(module="search")


def _revoke(commands: Any) -> None:
    what = "Revoke every session of users, and what else you choose."
    parser = _parser(commands.add_parser, "revoke", what, TARGETS)
    _what_and_whom(parser)
    add = parser.add_argument
    add("--plan", metavar="FILE", help="run the plan in FILE; it says whom, how and why")
    add("--dry-run", action="store_true", help="look everybody up and show what would be done; revoke nobody")
    add("--yes", action="store_true", help="do not ask")
    _pacing(parser)
    _json(parser)
    parser.set_defaults(module="revoke")


def _plan(commands: Any) -> None:
    what = "Plan a batch for a colleague to look at and to run. Nothing is revoked."
    parser = _parser(commands.add_parser, "plan", what, PLAN)
    _what_and_whom(parser)
    add = parser.add_argument
    add("--output", metavar="FILE", help="write the plan to FILE")
    add("--replace", action="store_true", help="replace FILE if it exists")
    add("--show", metavar="FILE", help="show what the plan in FILE would do")
    _json(parser)
    parser.set_defaults(module="plan")


def _what_and_whom(parser: argparse.ArgumentParser) -> None:
    """Targets, options, case and reason."""
    parser.add_argument("targets", metavar="TARGET", nargs="*", help="whom to throw out")
    add = parser.add_argument
    add("--from-file", metavar="FILE", help="read targets from FILE; - is standard input")
    on_off = (
        ("--oauth-tokens", "--no-oauth-tokens", "oauth_tokens", "revoke OAuth access and refresh tokens too"),
        ("--forget-devices", "--keep-devices", "forget_devices", "forget remembered factors on all devices too"),
    )
    for yes, no, dest, words in on_off:
        pair = parser.add_mutually_exclusive_group()
        pair.add_argument(yes, dest=dest, action="store_true", default=None, help=words)
        pair.add_argument(no, dest=dest, action="store_false", default=None, help="leave them (unless set otherwise)")
    add("--case", default="", metavar="C", help="your incident reference, kept in the history")
    add("--reason", default="", metavar="R", help="why, kept in the history")


def _pacing(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--reserve", type=_percent, metavar="PCT", help="percent of each window left to others, 0 to 90 (20)")
    add("--in-flight", type=_number(1, 10), metavar="N", help="requests under way at once, 1 to 10 (8)")
    paces = "sprint: fast, then wait for the next window; spread: evenly over each (sprint)"
    add("--pace", choices=("sprint", "spread"), help=paces)


def _resume(commands: Any) -> None:
    what = "Go on with a batch that was cut off, or close it."
    parser = _parser(commands.add_parser, "resume", what, RESUME)
    parser.add_argument("batch", metavar="BATCH", nargs="?", help="its ID (the newest that was left unfinished)")
    add = parser.add_argument
    pair = parser.add_mutually_exclusive_group()
    words = "send the unknown ones again, too: safe, but it also ends sessions opened since (this is so anyway)"
    pair.add_argument("--include-unknown", dest="unknown", action="store_true", default=True, help=words)
    pair.add_argument("--keep-unknown", dest="unknown", action="store_false", help="leave them unknown")
    add("--close", action="store_true", help="send nothing more: what was not sent is cancelled, and recorded as such")
    add("--yes", action="store_true", help="do not ask")
    _pacing(parser)
    _json(parser)
    parser.set_defaults(module="resume")


def _limits(commands: Any) -> None:
    what = "Show the org's rate limits as they are now. Costs one call a bucket."
    epilog = """\
A bucket is what Okta counts together: one limit for all of its calls, in
windows of a minute. Reserve is what Evict leaves of each window to everyone
else in the org. Left to others is what of this window it leaves alone now: what
is left of the reserve, or what they are likely to use if that is more.

With --json each line is an object: bucket, calls, limit, remaining,
resets_in_s, window_s, reserve, others (requests in this window),
others_per_minute (0 where nobody was seen), held (left to others now), sent and
rate_limited (by this command).

example:
  evict limits --json"""
    parser = _parser(commands.add_parser, "limits", what, epilog)
    _json(parser)
    parser.set_defaults(module="limits")


def _doctor(commands: Any) -> None:
    what = "Check settings, org, credential, permissions and data folder; advise on each."
    epilog = """\
Changes nothing in the org. Whether the credential may end sessions is asked
with the ID of a user who does not exist.

example:
  evict doctor

exit codes:
  0  ready to revoke               2  settings or data folder to be mended
  1  the org fails, or refuses     3  Okta refused the credential
     what a revocation needs
"""
    _parser(commands.add_parser, "doctor", what, epilog).set_defaults(module="doctor")


def _auth(commands: Any) -> None:
    what = "Sign in and out, and say how Evict is signed in."
    parser = _parser(commands.add_parser, "auth", what, "example:\n  evict --profile prod auth login")
    parts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    epilog = """\
With sign_in = "device" and a client_id: code, link and QR code are shown, you
sign in in a browser, and the sign-in is kept in the keyring of this account.

example:
  evict auth login"""
    login = _parser(parts.add_parser, "login", "Sign in, and keep the sign-in in the keyring.", epilog)
    words = "ask for an API token instead (typed without echo, or from a pipe), and keep that"
    login.add_argument("--token", action="store_true", help=words)
    epilog = """\
Asks the org. Shows no secret, only where it is from.

example:
  evict auth status --all --json

exit codes:
  0  good                          2  settings to be mended
  1  the org can't be reached      3  not signed in, or refused"""
    status = _parser(parts.add_parser, "status", "Say how Evict signs in, as whom, and if that is good.", epilog)
    status.add_argument("--all", action="store_true", help="every profile, then the settings without one")
    _json(status)
    what = "Have the org end the sign-in, and forget it here."
    logout = _parser(parts.add_parser, "logout", what, "example:\n  evict auth logout")
    logout.add_argument("--token", action="store_true", help="forget the API token instead; it stays good at the org")
    logout.add_argument("--force", action="store_true", help="forget it here even where the org does not end it")
    for name, one in (("login", login), ("status", status), ("logout", logout)):
        one.set_defaults(module="auth", part=name)


def _config(commands: Any) -> None:
    parser = _parser(
        commands.add_parser,
        "config",
        "Show the settings, or write a profile.",
        "examples:\n  evict config init\n  evict config show",
    )
    parts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    show = _parser(parts.add_parser, "show", "Show every setting, where it came from, and no secret.")
    show.set_defaults(module="config")
    words = "Ask how an org is reached, and write a profile of it. No secret is asked for or written."
    _parser(parts.add_parser, "init", words).set_defaults(module="config_init")
