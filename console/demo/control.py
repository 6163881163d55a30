"""The demo org's side door under /_demo/: what it holds, for tests and people. No token, no limits."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.demo.org import DemoOrg


def routes(org: DemoOrg) -> list[Route]:
    """GET state?user=ID, GET signed-in, GET totals, POST others {"bucket", "count"}."""

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

    async def signed_in(request: Request) -> Response:
        return JSONResponse([person.id for person in org.users if org.sessions_of(person.id)])

    async def totals(request: Request) -> Response:
        return JSONResponse(org.totals())

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
        Route("/_demo/signed-in", signed_in, methods=["GET"]),
        Route("/_demo/totals", totals, methods=["GET"]),
        Route("/_demo/others", others, methods=["POST"]),
    ]
