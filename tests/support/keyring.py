"""A keyring in memory, in place of the one of whoever runs the tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import keyring
import keyring.errors
from keyring.backend import KeyringBackend
from keyring.backends import fail


class MemoryKeyring(KeyringBackend):
    """Keeps what it is given. `forgetful` keeps nothing and says nothing, `error` is raised by each call, and one that
    `hangs` answers nobody before the test ends."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.forgetful = False
        self.error: Exception | None = None
        self.hangs = False
        self.released = threading.Event()
        self.asked = 0

    def _meet(self) -> None:
        self.asked += 1
        if self.hangs:
            self.released.wait(30)
        if self.error is not None:
            raise self.error

    def get_password(self, service: str, username: str) -> str | None:
        self._meet()
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._meet()
        if not self.forgetful:
            self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._meet()
        if not self.forgetful:
            del self.held[service, username]


@contextmanager
def memory_keyring() -> Iterator[MemoryKeyring]:
    """In use for as long as this lasts."""
    before = keyring.get_keyring()
    assert isinstance(before, fail.Keyring), "no test asks the keyring of a person"
    ours = MemoryKeyring()
    keyring.set_keyring(ours)
    try:
        yield ours
    finally:
        ours.released.set()
        keyring.set_keyring(before)
