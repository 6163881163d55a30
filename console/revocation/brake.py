"""What keeps requests from leaving: a pause, a stop under way, or the end."""

from __future__ import annotations

from console.revocation.events import Events, Paused, Resumed, Why


def unrecorded(error: OSError) -> str:
    """What a pause for the history's sake says."""
    return f"Nothing is sent: {error} Evict looks again by itself, and goes on once the history can be written."


class Brake:
    """Asked by everyone who is about to send."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._wanted = False
        """Whether the operator has asked for the pause, too, that stands for another cause."""
        self.paused: Paused | None = None
        """Why nothing is sent, or None."""
        self.stopping = 0
        """Stops under way."""
        self.closed = False
        """Set once, at the end."""

    @property
    def free(self) -> bool:
        """Whether requests may leave."""
        return self.paused is None and not self.stopping and not self.closed

    @property
    def ending(self) -> bool:
        """Whether what fails now is not tried again."""
        return bool(self.stopping) or self.closed

    def pause(self, why: Why, message: str) -> None:
        """Nothing leaves from now on. A cause that needs action replaces a plain pause, else the first one stands."""
        self._wanted |= Why.OPERATOR in (why, self.paused.why if self.paused else why)
        if self.paused is None or (self.paused.why is Why.OPERATOR and why is not Why.OPERATOR):
            self.paused = Paused(why, message)
            self._events.emit(self.paused)

    def release(self, message: str = "") -> bool:
        """End the pause; false where there was none. `message` where nobody asked for it."""
        if self.paused is None:
            return False
        self.paused, self._wanted = None, False
        self._events.emit(Resumed(message))
        return True

    def mended(self, message: str, *, ask: bool = False) -> bool:
        """The cause of the pause is gone: end it, unless the operator wants one, or is to be asked first. Says which;
        true where it ended."""
        if not self._wanted and not ask:
            return self.release(message)
        self._wanted = True
        self.paused = Paused(Why.OPERATOR, message if ask else f"{message} Still paused: you asked for that.")
        self._events.emit(self.paused)
        return False
