"""The console as it was left: found again at the start, kept at the end. Nothing of it sends a request."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from textual.app import App
from textual.screen import Screen

from console.org_history import history_folder
from console.remembered import Order, Remembered, load, save
from console.text import sanitize
from console.ui.widgets.listed import Listed
from console.workspace import Workspace

LOGGER = logging.getLogger(__name__)


@runtime_checkable
class Remembering(Protocol):
    """A screen that can be found as it was left."""

    def recall(self, found: Remembered) -> None:
        """Be as it was. Called before the screen is shown."""

    def left(self, found: Remembered) -> Remembered:
        """What was found, with what is the screen's own as it is now."""


def put_in_order(table: Listed[Any], found: Remembered) -> None:
    """The order that the list was left in, if it has such a column still."""
    order = found.orders.get(table.id or "")
    if order is not None and order.column in table.sortable:
        table.sort_by(order.column, descending=order.descending)


def with_orders(found: Remembered, tables: Iterable[Listed[Any]]) -> Remembered:
    """What was found, with the orders of these lists as they are now."""
    orders = dict(found.orders)
    for table in tables:
        column, descending = table.order
        orders.pop(table.id or "", None)
        if column is not None and table.id is not None:
            orders[table.id] = Order(column=column, descending=descending)
    return found.model_copy(update={"orders": orders})


class Memory:
    """What was found of the last time, and how it is kept for the next."""

    def __init__(self, workspace: Workspace) -> None:
        settings = workspace.settings
        self._folder = history_folder(settings, demo=workspace.demo)
        self._setting = sanitize(settings.theme, limit=60)
        self._keeps = settings.remember and not settings.read_only
        self._theme_of_settings = ""
        self.problem = ""
        """What is wrong with what was found, in a sentence."""
        self.found = Remembered()
        if settings.remember:
            self.found, self.problem = load(self._folder, read_only=settings.read_only)

    def put_theme_on(self, app: App[Any]) -> None:
        """The theme that was chosen here, unless the settings have named another one since."""
        self._theme_of_settings = app.theme
        theme = self.found.theme
        if theme and self.found.theme_setting == self._setting and app.get_theme(theme) is not None:
            app.theme = theme

    def recall(self, screen: Screen[Any]) -> None:
        """Make a new screen as it was left."""
        if isinstance(screen, Remembering):
            screen.recall(self.found)

    def keep(self, app: App[Any], screens: Iterable[Screen[Any]]) -> None:
        """Keep how all is left. Screens that nobody looked at stay as they were found."""
        if not self._keeps:
            return
        now = self.found
        for screen in screens:
            if isinstance(screen, Remembering) and screen.is_mounted:
                now = screen.left(now)
        chosen = app.theme if app.theme != self._theme_of_settings else ""
        now = now.model_copy(
            update={"screen": app.current_mode, "theme": chosen, "theme_setting": self._setting if chosen else ""}
        )
        try:
            if now != self.found:
                save(self._folder, now)
        except OSError as error:
            LOGGER.warning("how the console was left is not kept: %s", sanitize(str(error)))
        else:
            self.found = now
