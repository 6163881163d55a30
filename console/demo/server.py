"""The demo org served over HTTP on loopback, so that any client can be tried against it."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvicorn import Config, Server

    from console.demo.org import DemoOrg

BACKLOG = 128


class ServerUnavailable(OSError):
    """The demo org can't be served; the message says why and what to do."""


def serve(
    org: DemoOrg, host: str = "127.0.0.1", port: int = 0, ready: Callable[[str], None] = lambda url: None
) -> None:
    """Serve `org` until it is interrupted (SIGINT) or terminated (SIGTERM); then return.

    Port 0 takes a free one. `ready` is called once with the URL, as soon as connections are taken. Prints nothing.
    Raises ServerUnavailable if uvicorn is missing, the port is taken, or `host` is not this machine itself.
    """
    listener = _listen(host, port)
    with listener:
        server = _server(org)
        address, bound = listener.getsockname()[:2]
        ready(f"http://[{address}]:{bound}" if ":" in address else f"http://{address}:{bound}")
        # uvicorn ends well on a signal, and then raises it once more for whoever started it.
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def _server(org: DemoOrg) -> Server:
    try:
        import uvicorn
    except ModuleNotFoundError as error:
        raise ServerUnavailable(
            "serving the demo org needs uvicorn, which is not installed: install Evict with its extra, as in  "
            "pipx install '.[simulate]'"
        ) from error
    from console.demo.app import build_app

    config: Config = uvicorn.Config(
        build_app(org, on_lost="hang"),
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens on loopback; uvicorn would print and exit if the port were taken."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        raise ServerUnavailable(f"{host!r} is not an address of this machine: use 127.0.0.1 or ::1") from None
    if not ip.is_loopback:
        raise ServerUnavailable(f"the demo org is served on loopback only, not on {host}: use 127.0.0.1 or ::1")
    # The protocol is named, or asyncio leaves Nagle's algorithm on: bodies then wait 40 ms for an acknowledgement.
    family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise ServerUnavailable(f"port {port} on {host} can't be used: {error}; choose another, or 0") from error
    return listener
