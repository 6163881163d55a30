"""The history of an org, and where it lies on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from console.clock import Clock
from console.credentials import NO_ORG
from console.history.keys import KeyringStore
from console.history.store import History, HistoryUnavailable
from console.settings import Settings, SettingsError


def history_folder(settings: Settings, *, demo: bool = False) -> Path:
    """Where the history of this org lives: each org has one of its own, and the demo never mixes with a real one.

    Raises SettingsError where no org is set.
    """
    if demo:
        return settings.data_dir / "demo"
    if settings.org_url is None:
        raise SettingsError(NO_ORG)
    return settings.data_dir / re.sub(r"[^a-z0-9.-]", "_", urlsplit(settings.org_url).netloc)


def open_history(
    settings: Settings, *, clock: Clock, demo: bool = False, read_only: bool = False, load: bool = True
) -> History:
    """The history of the org, without a connection to it. Without `load` it is still to be read: `History.load`.

    Raises HistoryUnavailable, SettingsError.
    """
    folder = history_folder(settings, demo=demo)
    try:
        return History.open(folder, clock=clock, read_only=read_only, keys=KeyringStore(), load=load)
    except HistoryUnavailable as error:
        raise HistoryUnavailable(f"{error}. The setting data_dir (EVICT_DATA_DIR) may name another folder.") from error
