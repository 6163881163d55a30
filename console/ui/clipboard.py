"""This machine's clipboard, by the tool that its desktop has for it.

Some terminals (Terminal on macOS, tmux as it comes) do not take OSC 52: there this is what copies. Where the terminal
is elsewhere (ssh) this machine's clipboard is nobody's, and OSC 52 is left to do it alone.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
import sys
from collections.abc import Mapping

from console.environment import variables

LOGGER = logging.getLogger(__name__)
WAIT_S = 2.0
"""A tool that takes longer hangs."""
REMOTE = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
TOOLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)
"""Variable that must be set, and the command that reads the text from its input."""


def command(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> tuple[str, ...]:
    """The tool to copy with, its path first; empty where there is none or the operator sits elsewhere."""
    environment = variables() if environment is None else environment
    if any(environment.get(name) for name in REMOTE):
        return ()
    tools = (("", ("pbcopy",)),) if platform == "darwin" else TOOLS
    for variable, words in tools:
        if (not variable or environment.get(variable)) and (path := shutil.which(words[0])):
            return (path, *words[1:])
    return ()


async def copy(words: tuple[str, ...], text: str) -> None:
    """Hand the text to the tool, in a thread. What goes wrong is logged, without the text: OSC 52 was tried as well."""
    try:
        code = await asyncio.to_thread(_run, words, text)
    except (OSError, subprocess.SubprocessError) as error:
        LOGGER.warning("%s did not copy: %s", words[0], type(error).__name__)
        return
    if code:
        LOGGER.warning("%s did not copy: exit %s", words[0], code)


def _run(words: tuple[str, ...], text: str) -> int:
    """Its output goes nowhere: the terminal holds the picture, and a tool that stays behind would hold a pipe open."""
    done = subprocess.run(  # noqa: S603 - a tool of the system, no shell, and the text goes to its input
        words,
        input=text.encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=WAIT_S,
        check=False,
    )
    return done.returncode
