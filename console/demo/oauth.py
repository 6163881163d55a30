"""The demo org's OAuth endpoints: tokens, sign-in with a code, and the page where the code is typed in."""

from __future__ import annotations

from html import escape

from console.demo.api import Call, flag
from console.demo.org import DemoOrg
from console.demo.replies import Refusal, Reply
from console.demo.tokens import Asked

MY_SESSIONS = "/idp/myaccount/sessions"
MY_SCOPE = "okta.myAccount.sessions.manage"
VERSION = "application/json;okta-version=1.0.0"
"""What MyAccount answers in, and wants to be asked for."""
PAGE = """\
<!doctype html><meta charset="utf-8"><title>Demo org</title>
<body style="font:16px system-ui;margin:4rem auto;max-width:32rem"><h1>{title}</h1><p>{text}</p>
"""
FORM = """\
<form><p><input name="user_code" placeholder="code" autofocus> <button>Sign in</button></p></form>
"""


def token(org: DemoOrg, call: Call) -> Reply:
    """POST /oauth2/v1/token."""
    return org.office.token(_asked(call))


def revoke(org: DemoOrg, call: Call) -> Reply:
    """POST /oauth2/v1/revoke."""
    return org.office.revoke(_asked(call))


def device(org: DemoOrg, call: Call) -> Reply:
    """POST /oauth2/v1/device/authorize."""
    return org.office.device(_asked(call), call.origin)


def activate(org: DemoOrg, call: Call) -> Reply:
    """GET /activate?user_code=CODE[&deny=1]: stands for the person who signs in in a browser."""
    code = call.query.get("user_code", "")
    if not code:
        return _page("Activate your device", "Type the code that Evict shows." + FORM)
    allow = not call.query.get("deny")
    if not org.office.decide(code, allow=allow):
        return _page("No such code", f"{escape(code)} is not known, or it has been used.", status=400)
    return _page("Device activated" if allow else "Refused", "Go back to Evict.")


def end_own_sessions(org: DemoOrg, call: Call) -> Reply:
    """POST /api/v1/users/me/lifecycle/delete_sessions: by the session cookie alone, whatever else comes with it."""
    name, value = org.own_cookie
    if call.cookies.get(name) != value:
        raise Refusal(403, "E0000005")
    keep = call.form.get("keepCurrent", "true") != "false"
    org.end_own(keep_current=keep, request_id=call.request_id, user_agent=call.user_agent, uri=call.path)
    return Reply()


def end_my_sessions(org: DemoOrg, call: Call) -> Reply:
    """DELETE /idp/myaccount/sessions: of whoever signed in, the context of that sign-in aside if it is asked for."""
    if call.app:
        raise Refusal(401, "E0000011")  # a service app is no user
    if VERSION not in call.accept.replace(" ", ""):
        raise Refusal(406, "E0000021")
    org.end_own(
        keep_current=flag(call, "excludeCurrentAuthorizationContext", default=False),
        oauth_tokens=flag(call, "oauthTokens", default=True),
        request_id=call.request_id,
        user_agent=call.user_agent,
        uri=call.path,
    )
    return Reply(204)


def _asked(call: Call) -> Asked:
    return Asked(f"{call.origin}{call.path}", call.form, call.proof)


def _page(title: str, text: str, *, status: int = 200) -> Reply:
    return Reply(status, PAGE.format(title=title, text=text).encode(), media_type="text/html; charset=utf-8")
