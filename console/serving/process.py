"""The process of the console behind a page, spoken to as textual-serve speaks to its apps."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from console.environment import variables

DRIVER = "console.ui.served:ServedDriver"
PRELUDE = b"__GANGLION__\n"
"""What an app prints when it is ready for packets."""
MOST_SAID = 64 * 1024
"""Bytes of what it says on stderr that are kept: the last ones."""
END_S = 30.0
"""How long a console has to end in order, with requests under way; then it is told to by a signal."""
KILL_S = 5.0


class ConsoleProcess(AppService):
    """One console. Its command line holds no secret; its environment is what the console itself would be given."""

    def __init__(
        self,
        options: Sequence[str],
        *,
        write: Callable[[bytes], Awaitable[None]],
        close: Callable[[], Awaitable[object]],
        say: Callable[[str], None],
    ) -> None:
        async def hang_up() -> None:
            await close()

        async def no_text(_: str) -> None:
            """Nothing but the screen is sent: no downloads, and no address that the browser is to open."""

        super().__init__(
            "evict", write_bytes=write, write_str=no_text, close=hang_up, download_manager=DownloadManager()
        )
        self._options = tuple(options)
        self._say = say
        self.code: int | None = None
        """How it ended; None as long as it has not."""

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        own = {"TEXTUAL_DRIVER": DRIVER, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        return {**variables(), **super()._build_environment(width, height), **own}

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        # No shell; no module of the folder we are in (-P); and Ctrl-C at our terminal is ours to pass on (new session).
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "console.cli.served", *self._options),
            stdin=PIPE, stdout=PIPE, stderr=PIPE, env=self._build_environment(width, height), start_new_session=True,
        )  # fmt: skip
        self._process, self._stdin = process, process.stdin
        return process

    async def run(self) -> None:
        """Pass on what it paints until it has ended; then hang up. What it said on stderr is said here."""
        process = self._process
        if process is None or process.stdout is None or process.stderr is None:
            raise RuntimeError("run() is called by start()")
        said = asyncio.create_task(_last_of(process.stderr))
        try:
            if await process.stdout.readline() == PRELUDE:
                await self._pass_on(process.stdout)
            else:  # it will not paint, but it must be able to end
                await _last_of(process.stdout)
        finally:
            for line in (await said).decode("utf-8", "replace").splitlines():
                self._say(line)
            self.code = await process.wait()
            await self.remote_close()

    async def _pass_on(self, stdout: asyncio.StreamReader) -> None:
        """Goes on reading after the browser has gone: a console that can't write can't end in order."""
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                kind = await stdout.readexactly(1)
                payload = await stdout.readexactly(int.from_bytes(await stdout.readexactly(4), "big"))
                if kind == b"D":
                    with contextlib.suppress(ConnectionError):
                        await self.on_data(payload)

    async def stop(self) -> None:
        """Have it end in order, as on its quit key, and wait until it has."""
        process, task = self._process, self._task
        if process is None or task is None:
            return
        await self.send_meta({"type": "quit"})
        self.stdin.close()
        for limit_s, then in ((END_S, process.terminate), (KILL_S, process.kill)):
            try:
                await asyncio.wait_for(process.wait(), limit_s)
                break
            except TimeoutError:
                self._say(f"the console did not end within {limit_s:g} s and was told to by a signal")
                with contextlib.suppress(ProcessLookupError):
                    then()
        await task
        self._task = None


async def _last_of(stream: asyncio.StreamReader) -> bytes:
    """The end of all that comes until the stream is closed."""
    kept = b""
    while part := await stream.read(4096):
        kept = (kept + part)[-MOST_SAID:]
    return kept
