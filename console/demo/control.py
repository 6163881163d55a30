"""The demo org's side door under /_demo/: what it holds, for tests and people. No token, no limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.demo.org import DemoOrg


def routes(org: DemoOrg) -> list[Route]:
    """GET state?user=ID, signed-in, totals and cookie (of the token's own account), POST others {"bucket", "count"}."""

    async def state(request: Request) -> Response:
        person = org.find(request.query_params.get("user", ""))
        if person is None:
            return JSONResponse({"error": "no such user"}, 404)
        held = org.open_of(person.id)
        return JSONResponse({
            "id": person.id,
            "login": person.login,
            "status": person.status,
            "sessions": list(held.sessions),
            "tokens": list(held.tokens),
            "remembered": held.remembered,
        })  # fmt: skip

    async def others(request: Request) -> Response:
        try:
            asked: Any = json.loads(await request.body())
            bucket, count = str(asked["bucket"]), int(asked["count"])
            org.others_spend(bucket, count, same_token=bool(asked.get("same_token", True)))
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": f'give {{"bucket": "users", "count": 10}}: {error}'}, 400)
        return JSONResponse({"bucket": bucket, "count": count})

    return [
        Route("/_demo/state", state, methods=["GET"]),
        _tells("/_demo/signed-in", lambda: [person.id for person in org.users if org.sessions_of(person.id)]),
        _tells("/_demo/cookie", lambda: dict(zip(("name", "value"), org.own_cookie, strict=True))),
        _tells("/_demo/totals", org.totals),
        Route("/_demo/others", others, methods=["POST"]),
    ]


def _tells(path: str, tell: Callable[[], object]) -> Route:
    """GET of something that is made anew each time."""

    async def answer(request: Request) -> Response:
        return JSONResponse(tell())

    return Route(path, answer, methods=["GET"])
