"""What is kept in the keyring where the operator asked for it: sign-ins and API tokens, each of one org."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout
from pydantic import SecretStr

from console.keyring_store import WAIT_S, Keyring
from console.okta.auth.operator import Kept
from console.paths import FILE_MODE, data_dir, private_dir

SIGN_INS = "evict sign-in"
TOKENS = "evict token"
"""What the keyring files them under."""


class KeptSignIn:
    """The keyring's entry for the sign-in at an org by an app."""

    def __init__(self, org_url: str, client_id: str, *, wait_s: float = WAIT_S) -> None:
        self._name = f"{org_url} {client_id}"
        self._keyring = Keyring(SIGN_INS, what="sign-in", wait_s=wait_s)
        # Taken in one thread and given back in another, so it must not be a thread's own.
        self._lock: BaseFileLock = FileLock(_lock_file(self._name), mode=FILE_MODE, thread_local=False)

    def get(self) -> Kept | None:
        """What is kept; None for nothing, and for what Evict did not write. Raises KeyringUnavailable."""
        text = self._keyring.get(self._name)
        try:
            found: Any = json.loads(text) if text is not None else None
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict) or not isinstance(found.get("refresh"), str) or not found["refresh"]:
            return None
        words = {name: one if isinstance(one := found.get(name), str) else "" for name in ("key", "login", "at")}
        key = SecretStr(words["key"]) if words["key"] else None
        return Kept(SecretStr(found["refresh"]), key, words["login"], words["at"])

    def put(self, kept: Kept) -> None:
        """Keep it. Raises KeyringUnavailable."""
        key = kept.proof_key.get_secret_value() if kept.proof_key else ""
        entry = {"refresh": kept.refresh.get_secret_value(), "key": key, "login": kept.login, "at": kept.at}
        self._keyring.put(self._name, json.dumps(entry))

    def delete(self) -> bool:
        """Forget it; whether there was something. Raises KeyringUnavailable."""
        return self._keyring.delete(self._name)

    def claim(self) -> bool:
        """Be the only one to change it until `release`; False where another console is. Raises OSError without locks.

        The system frees the lock of a console that dies.
        """
        folder = private_dir(Path(self._lock.lock_file).parent)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        if isinstance(self._lock, SoftFileLock):
            # A mere file in place of a lock stays for ever when its console is killed.
            self._lock.release()
            raise OSError(f"{folder} lies on a file system without locks")
        return True

    def release(self) -> None:
        """Others may. The file stays: one that is removed might be another's lock already."""
        self._lock.release()


def _lock_file(name: str) -> Path:
    """In the account's own data folder, whatever the settings name: the keyring is one for the account, too."""
    return data_dir() / "sign-ins" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock"


class KeptToken:
    """The keyring's entry for the API token of an org."""

    def __init__(self, org_url: str, *, wait_s: float = WAIT_S) -> None:
        self._name = org_url
        self._keyring = Keyring(TOKENS, what="token", wait_s=wait_s)

    def get(self) -> SecretStr | None:
        """The token; None for none. Raises KeyringUnavailable."""
        text = self._keyring.get(self._name)
        return SecretStr(text) if text else None

    def put(self, token: SecretStr) -> None:
        """Keep it. Raises KeyringUnavailable."""
        self._keyring.put(self._name, token.get_secret_value())

    def delete(self) -> bool:
        """Forget it; whether there was one. Raises KeyringUnavailable."""
        return self._keyring.delete(self._name)
