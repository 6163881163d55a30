"""Bytes to and from the org, straight on asyncio: what httpcore's own backend asks the system, this one knows already.

httpcore asks each idle connection several times a request whether the other side has closed it. Its own backend stops
reading between answers, so that takes two system calls a time, and each of them hands the processor to the thread that
writes the history. Here the loop reads on, and the question is answered from memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore

from console.okta.connecting import addresses, first_of

HIGH = 256 * 1024
"""Bytes that may lie here unread; then the other side has to wait."""


@contextlib.contextmanager
def _told_as(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """The system's errors as httpcore's: `late` when time is up, else `broken`."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except (OSError, UnicodeError) as error:  # a host name that can't be looked up is a UnicodeError
        raise broken(str(error)) from error


class _Wire(asyncio.Protocol):
    """What came and was not read yet, and whether more may come."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.unread = bytearray()
        self.ended = False
        """Whether nothing more will come."""
        self.lost = False
        self.error: Exception | None = None
        self._full = False
        self._held = False
        self._waiting: asyncio.Future[None] | None = None
        self._writing: asyncio.Future[None] | None = None

    # From the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("not a stream")
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep it until it is asked for."""
        self.unread += data
        if len(self.unread) > HIGH and not self._held:
            self._held = True
            self.transport.pause_reading()
        _wake(self._waiting)

    def eof_received(self) -> None:
        """The other side has closed; asyncio closes this one."""
        self.ended = True
        _wake(self._waiting)

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed, by whichever side."""
        self.ended = self.lost = True
        self.error = exc
        _wake(self._waiting)
        _wake(self._writing)

    def pause_writing(self) -> None:
        """More was given than leaves at once."""
        self._full = True

    def resume_writing(self) -> None:
        """It has left."""
        self._full = False
        _wake(self._writing)

    # From the stream

    async def read(self, most: int) -> bytes:
        """The next bytes, `most` at most; none at the end. Raises OSError where the connection broke."""
        while not self.unread and not self.ended:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        if not self.unread:
            if self.error is not None:
                raise OSError(str(self.error)) from self.error
            return b""
        data = bytes(self.unread[:most])
        del self.unread[:most]
        if self._held and len(self.unread) <= HIGH:
            self._held = False
            self.transport.resume_reading()
        return data

    def write(self, data: bytes) -> bool:
        """Send; false where too much is on its way, see `written`. Raises OSError where the connection broke."""
        self._check()
        self.transport.write(data)
        return not self._full

    async def written(self) -> None:
        """Wait while too much is on its way. Raises OSError where the connection broke."""
        while self._full and not self.lost:
            self._writing = asyncio.get_running_loop().create_future()
            await self._writing
        self._check()

    def _check(self) -> None:
        if self.lost:
            raise OSError(str(self.error or "the connection is closed")) from self.error


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class Stream(httpcore.AsyncNetworkStream):
    """One connection, plain or within TLS."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  (httpcore's)
        """The next bytes; none once the other side has closed. Raises httpcore's ReadTimeout and ReadError."""
        try:
            async with asyncio.timeout(timeout):
                return await self._wire.read(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send all of `buffer`. Raises httpcore's WriteTimeout and WriteError."""
        if not buffer:
            return
        try:
            if not self._wire.write(buffer):
                async with asyncio.timeout(timeout):
                    await self._wire.written()
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        """Close, without waiting for the other side."""
        self._wire.transport.close()
        await asyncio.sleep(0)  # what is to be said at the end of TLS leaves
        self._wire.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """The same connection within TLS; it is closed where that fails. Raises ConnectTimeout and ConnectError."""
        wire = self._wire
        try:
            with _told_as(httpcore.ConnectTimeout, httpcore.ConnectError):
                async with asyncio.timeout(timeout):
                    inside = await asyncio.get_running_loop().start_tls(
                        wire.transport, wire, ssl_context, server_hostname=server_hostname
                    )
        except BaseException:
            wire.transport.abort()
            raise
        if inside is None:
            raise httpcore.ConnectError("the connection closed before TLS began")
        wire.transport = inside
        return Stream(wire)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks: whether an idle connection is at its end, and what TLS has settled."""
        if info == "is_readable":
            return self._wire.ended or bool(self._wire.unread)
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._wire.transport.get_extra_info(names.get(info, info))


class Network(httpcore.AsyncNetworkBackend):
    """Opens connections over TCP."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address of `host` that answers. Raises ConnectTimeout and ConnectError."""
        local = (local_address, 0) if local_address else None

        async def connect(address: str) -> _Wire:
            opened = await asyncio.get_running_loop().create_connection(_Wire, address, port, local_addr=local)
            return opened[1]

        with _told_as(httpcore.ConnectTimeout, httpcore.ConnectError):
            async with asyncio.timeout(timeout):
                places = await addresses(host, port)
                wire = await first_of(places, connect, discard=lambda late: late.transport.abort())
        for option in socket_options or ():
            wire.transport.get_extra_info("socket").setsockopt(*option)
        return Stream(wire)

    async def sleep(self, seconds: float) -> None:
        """Between tries to connect, of which Evict wants none."""
        await asyncio.sleep(seconds)
