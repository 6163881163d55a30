"""The keyring of the system, asked so that it can hold nobody up: Keychain, Secret Service, KWallet, Credential Locker.

Nothing that a backend says is quoted: it may hold what it was handed.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

WAIT_S = 3.0
"""How long a keyring may take. One that waits for somebody to unlock it on another screen would hold us for ever."""

T = TypeVar("T")


class KeyringUnavailable(OSError):
    """The keyring can't be used; the message says why and what to do. It never holds a secret."""


class Keyring:
    """What the keyring files under one service name. Every call blocks for at most `wait_s` (`put` for twice that)."""

    def __init__(self, service: str, *, what: str = "secret", wait_s: float = WAIT_S) -> None:
        """`what` is the word for what is kept there."""
        self._service = service
        self._what = what
        self._wait_s = wait_s

    def get(self, name: str) -> str | None:
        """What is kept under that name, None where nothing is. Raises KeyringUnavailable."""
        found = self._ask(lambda keyring: keyring.get_password(self._service, name))
        return found if isinstance(found, str) else None

    def put(self, name: str, text: str) -> None:
        """Keep it, and read it back: a keyring that is switched off takes everything and keeps nothing.

        Raises KeyringUnavailable.
        """
        self._ask(lambda keyring: keyring.set_password(self._service, name, text))
        if self.get(name) != text:
            raise KeyringUnavailable(f"the keyring did not keep the {self._what}: is it switched off?")

    def delete(self, name: str) -> bool:
        """Forget it; whether there was something. Raises KeyringUnavailable, also where it is still there then."""
        if self.get(name) is None:
            return False
        self._ask(lambda keyring: keyring.delete_password(self._service, name))
        if self.get(name) is not None:
            raise KeyringUnavailable(f"the keyring did not forget the {self._what}: remove it by its own means")
        return True

    def _ask(self, call: Callable[[ModuleType], T]) -> T:
        """The answer of a call to the keyring. Imported here, in the thread: loading it takes long and may hang too."""
        answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def work() -> None:
            try:
                import keyring

                answers.put((call(keyring), None))
            except BaseException as error:  # noqa: BLE001 - a backend may raise anything; who asked must learn of it
                answers.put((None, error))

        threading.Thread(target=work, name="keyring", daemon=True).start()
        try:
            answer, error = answers.get(timeout=self._wait_s)
        except queue.Empty:
            raise KeyringUnavailable(
                f"the keyring did not answer within {self._wait_s:g} s: unlock it, then try again"
            ) from None
        if error is not None:
            # The error of a backend may quote what it was handed, so that only its kind is told.
            raise KeyringUnavailable(_why(error)) from None
        return answer  # type: ignore[return-value]


def _why(error: BaseException) -> str:
    names = {kind.__name__ for kind in type(error).__mro__}
    if "NoKeyringError" in names:
        return "there is no keyring on this machine: install one (on Linux gnome-keyring or KWallet)"
    if "KeyringLocked" in names:
        return "the keyring is locked: unlock it, then try again"
    return f"the keyring failed ({type(error).__name__}): see that it is unlocked, then try again"
