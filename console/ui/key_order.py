"""Keys, one after the other: each goes where the one before it has moved the focus, however fast they are typed.

Textual hands a key to the widget that has the focus when the key is read. What a key does runs later, once it has
climbed from that widget up to the app. Of a fast `/x` the `x` would still reach the list, where it stops a batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakSet

from textual import events
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen

from console.ui.mouse import SureClicks

PATIENCE_S = 2.0
"""After this long a key counts as handled: a widget that was removed with it can't say so any more."""
LOOK_S = 0.02
"""How often it is looked whether a screen that is just opened can take keys."""


class KeyHandled(Message):
    """Follows a key from the widget to the app, through the same queues: behind it, the key is done.

    It goes that way twice. The key's action has run after the first time; what the action itself sent that way, such
    as `Submitted`, has been taken in after the second.
    """

    def __init__(self, number: int, *, again: bool) -> None:
        super().__init__()
        self.number = number
        self.again = again


class KeysInOrder(SureClicks):
    """Holds keys (and what is pasted) until the one before is handled and the screen has something to hand them to."""

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[events.Event] = deque()
        self._number = 0
        """Of the key under way."""
        self._busy: MessagePump | None = None
        """Where the key under way went; the app itself while a screen opens."""
        self._waited = 0.0
        self._opened: WeakSet[Screen[Any]] = WeakSet()
        self._ran = False
        """Whether the key under way has run what is bound to it already."""

    @property
    def key_under_way(self) -> bool:
        """Whether a key is being handled."""
        return self._busy is not None and self._busy is not self and self._busy.is_running

    @property
    def keys_taken(self) -> int:
        """How many keys (and pastes) were typed so far."""
        return self._number + len(self._held)

    async def on_event(self, event: events.Event) -> None:
        """Take a key in, unless it is on its way already; everything else as ever."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._held.append(event)
        if self._busy is None or not self._busy.is_running:
            await self._hand_on()
        elif len(self._held) == 1 and self._busy is not self:
            self.set_timer(PATIENCE_S, partial(self._done, self._number))

    async def _hand_on(self) -> None:
        """The next key goes to whatever has the focus now."""
        self._busy = None
        while self._held and self._busy is None:
            if not self._takes_keys() and self._waited < PATIENCE_S:
                self._busy = self
                self._waited += LOOK_S
                self.set_timer(LOOK_S, self._hand_on)
                return
            self._waited = 0.0
            await self._hand(self._held.popleft())

    async def _hand(self, event: events.Event) -> None:
        self._number += 1
        self._ran = False
        target = self.focused or self.screen
        await super().on_event(event)
        if target.post_message(KeyHandled(self._number, again=not self._ran)):
            self._busy = target
            if self._held:
                self.set_timer(PATIENCE_S, partial(self._done, self._number))

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Run what is bound to a key. Textual asks with `priority` before it sends the key on its way to the focus.

        Where nothing on that way would do anything with the key, what is bound to it runs then and there: while a
        batch drains, every widget that the key climbs past on its way back costs it a turn of the loop.
        """
        if await super()._check_bindings(key, priority):
            return True
        if priority and self._nobody_else_takes(key):
            self._ran = await super()._check_bindings(key)
            return self._ran
        return False

    def _nobody_else_takes(self, key: str) -> bool:
        focused = self.focused
        leaves: Callable[[str], bool] | None = getattr(focused, "leaves_to_bindings", None)
        if focused is None or leaves is None or not leaves(key):
            return False
        return not any(hasattr(node, f"key_{key}") for node in focused.ancestors)

    def _takes_keys(self) -> bool:
        """Whether the screen has ever had a focus, or has nothing that can have it."""
        screen = self.screen
        if screen.focused is not None or (screen.is_mounted and not screen.focus_chain):
            self._opened.add(screen)
        return screen in self._opened

    async def _done(self, number: int) -> None:
        if number == self._number and self._busy is not self:
            await self._hand_on()

    async def on_key_handled(self, message: KeyHandled) -> None:
        """The key has done what it does: the focus is where it belongs."""
        message.stop()
        if message.number != self._number or self._busy is None:
            return
        if not message.again or not self._busy.post_message(KeyHandled(message.number, again=False)):
            await self._done(message.number)
