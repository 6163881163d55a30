"""The key of a history: with it the hash of a line can't be made by who only has the files.

The key lives in the system's keyring, never beside the history. A marker file in the folder, and the first line of
every segment written with it, say that there is one and which; nothing else makes us ask the keyring.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from console.history.chain import key_id as key_id_of
from console.keyring_store import WAIT_S, Keyring, KeyringUnavailable
from console.paths import open_private, private_dir, write_private

MARKER = "history.key-id"
SERVICE = "evict history"
"""What the keyring files our keys under; the name of each is its ID."""
KEY_BYTES = 32
_KEY_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)


class KeysUnavailable(OSError):
    """The keyring can't be used; the message says why and what to do. It never holds a key."""


class KeyStore(Protocol):
    """Where keys are kept, each under its ID."""

    def get(self, key_id: str) -> bytes | None:
        """The key, None where there is none of this ID. Blocks for at most WAIT_S. Raises KeysUnavailable."""
        ...

    def put(self, key_id: str, key: bytes) -> None:
        """Keep a key. When it returns, `get` finds it. Raises KeysUnavailable."""
        ...


class MemoryStore:
    """Keys for as long as the process lives; for tests."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}

    def get(self, key_id: str) -> bytes | None:
        """The key of that ID."""
        return self._keys.get(key_id)

    def put(self, key_id: str, key: bytes) -> None:
        """Keep it."""
        self._keys[key_id] = key


class KeyringStore:
    """The keyring of the system: Keychain, Credential Locker, Secret Service, KWallet."""

    def __init__(self, *, wait_s: float = WAIT_S) -> None:
        self._keyring = Keyring(SERVICE, what="key", wait_s=wait_s)

    def get(self, key_id: str) -> bytes | None:
        """The key of that ID; a value that is no key counts as none. Raises KeysUnavailable."""
        try:
            text = self._keyring.get(key_id)
        except KeyringUnavailable as error:
            raise KeysUnavailable(str(error)) from None
        try:
            return bytes.fromhex(text) if text is not None else None
        except ValueError:
            return None

    def put(self, key_id: str, key: bytes) -> None:
        """Keep it, and read it back. Raises KeysUnavailable."""
        try:
            self._keyring.put(key_id, key.hex())
        except KeyringUnavailable as error:
            raise KeysUnavailable(str(error)) from None


def marked(folder: Path) -> str | None:
    """The ID of the key that new segments in `folder` are written with; None where there is none.

    Raises KeysUnavailable for a marker that is damaged, UnsafePathError for one that others may have written.
    """
    path = folder / MARKER
    if not path.exists() and not path.is_symlink():
        return None
    with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
        text = file.read(100).decode("ascii", "replace").strip()
    if not _KEY_ID.fullmatch(text):
        raise KeysUnavailable(f"{path} does not hold the ID of a key: run  evict history key create --replace")
    return text


def create_key(
    folder: Path, store: KeyStore, *, replace: bool = False, random: Callable[[int], bytes] = secrets.token_bytes
) -> str:
    """Make a key for the history in `folder`, keep it in `store`, and mark the folder; returns its ID.

    Raises FileExistsError where the folder is marked already, unless `replace` (the key before stays in the store, for
    what was written with it); KeysUnavailable; UnsafePathError.
    """
    private_dir(folder)
    marker = folder / MARKER
    if not replace and (marker.exists() or marker.is_symlink()):
        raise FileExistsError(marker)
    key = random(KEY_BYTES)
    key_id = key_id_of(key)
    # The marker last: killed between, there is a key too many, and never a marker without its key.
    store.put(key_id, key)
    write_private(marker, f"{key_id}\n".encode(), replace=replace)
    return key_id


class Keys:
    """The keys of one folder, each asked for once. From any thread."""

    def __init__(self, folder: Path, store: KeyStore | None) -> None:
        self._folder = folder
        self._store = store
        self._known: dict[str, bytes | None] = {}
        self._why: dict[str, str] = {}
        self._lock = threading.Lock()

    def find(self, key_id: str) -> bytes | None:
        """The key of that ID, None where it is not at hand; `why` then says what to do."""
        with self._lock:
            if key_id not in self._known:
                self._known[key_id] = self._get(key_id)
            return self._known[key_id]

    def why(self, key_id: str) -> str:
        """Why a key is not at hand, in words; empty for one that is."""
        with self._lock:
            return self._why.get(key_id, "")

    def writing(self) -> tuple[bytes | None, str]:
        """The key for a new segment, and what the operator must know where there should be one and is not."""
        try:
            key_id = marked(self._folder)
        except OSError as error:
            return None, f"The history is written without its key: {error}"
        if key_id is None or (key := self.find(key_id)) is not None:
            return (None, "") if key_id is None else (key, "")
        return None, f"The history is written without its key {key_id}: {self.why(key_id)}"

    def _get(self, key_id: str) -> bytes | None:
        if self._store is None:
            self._why[key_id] = "no keyring was asked"
            return None
        key: bytes | None = None
        try:
            key = self._store.get(key_id)
        except KeysUnavailable as error:
            self._why[key_id] = str(error)
            return None
        if key is None:
            self._why[key_id] = "the keyring of this account has no key of that ID"
        elif key_id_of(key) != key_id:
            self._why[key_id] = "the keyring holds another key under that ID"
            key = None
        return key
