"""What went wrong with the history, in words that say what to do."""

from __future__ import annotations

import errno
from pathlib import Path

_MODE = "The folder or a file in it may not be written: give yourself the right to (chmod u+rwx), then go on."
_ADVICE = {
    errno.ENOSPC: "The disk is full: free some space, then go on.",
    errno.EDQUOT: "Your quota of disk space is used up: free some, then go on.",
    errno.EROFS: "The disk is mounted to be read only: mend that, then go on.",
    errno.EACCES: _MODE,
    errno.EPERM: _MODE,
    errno.EIO: "The disk reports an error: look at it before you go on, or name another folder.",
    errno.EFBIG: "A file may not grow any more (ulimit -f): mend that, then go on.",
}


class HistoryUnavailable(OSError):
    """The history can't be read or written; the message says why and what to do. Nothing may be sent meanwhile."""


class BatchHeld(HistoryUnavailable):
    """Another console, which lives, works on that batch."""


def unwritable(error: Exception, folder: Path) -> HistoryUnavailable:
    """The error that tells whoever waits for a write that it failed."""
    if isinstance(error, HistoryUnavailable):
        return error
    advice = _ADVICE.get(error.errno or 0, "") if isinstance(error, OSError) else ""
    return HistoryUnavailable(
        f"The history can't be written: {error}. {advice or f'Mend that in {folder}, then go on.'}"
    )
