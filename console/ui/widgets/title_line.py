"""The first line of every screen: where we are, at which org, as whom, and the time in UTC."""

from __future__ import annotations

from urllib.parse import urlsplit

from textual.content import Content
from textual.events import Click

from console.text import sanitize
from console.ui.widgets.line import Fact, Line, fact, lay
from console.workspace import Workspace

COLOURS = {
    "red": "white on darkred",
    "orange": "black on darkorange",
    "yellow": "black on gold",
    "green": "white on darkgreen",
    "blue": "white on darkblue",
    "purple": "white on purple",
}
"""What the org's name stands on, by the setting: the same in every theme, as it means an org and no state."""
TABS = (("triage", "1", "Triage"), ("history", "2", "History"), ("limits", "3", "Limits"))


class TitleLine(Line):
    """Screens on the left; org, operator, badges and clock on the right."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace

    def line(self, cells: int) -> Content:
        """The whole line."""
        workspace = self._workspace
        wide = cells >= 90
        right = [self._org(cells), self._operator(wide=wide), *self._badges()]
        right.append(fact(f"{workspace.clock.now():{'%H:%M:%S UTC' if wide else '%H:%MZ'}}", "$quiet", drop=2))
        return lay([fact("Evict", "$primary bold"), *(self._tab(*tab, wide=wide) for tab in TABS)], right, cells)

    def _tab(self, mode: str, key: str, title: str, *, wide: bool) -> Fact:
        here = self.app.current_mode == mode
        text = f"{key} {title}" if wide or here else key
        style = "$foreground bold underline" if here else "$quiet"
        return Fact(Content.styled(text, style))

    async def on_click(self, event: Click) -> None:
        """A click on the name of a screen shows it, one on the org switches profiles, one on the operator tells all."""
        text = self._shown.plain
        x = event.x - (self.content_region.x - self.region.x)
        for mode, key, title in TABS:
            start = text.find(f" {key}") + 1
            if start and start <= x < start + len(f"{key} {title}"):
                await self.run_action(f"app.go('{mode}')")
                return
        for part, action in ((self._host, "app.switch_profile"), (self._who, "app.authority")):
            start = text.find(part) if part else -1
            if start >= 0 and start <= x < start + len(part):
                await self.run_action(action)
                return

    @property
    def _who(self) -> str:
        operator = self._workspace.operator
        return sanitize(operator.principal or operator.os_user, limit=40)

    @property
    def _host(self) -> str:
        """The org as it is shown, where another can be chosen."""
        return "" if self._workspace.demo else sanitize(urlsplit(self._workspace.org_url).hostname or "", limit=60)

    def _org(self, cells: int) -> Fact:
        """The org on its colour, and the profile before it where both fit into half of the line."""
        settings, url = self._workspace.settings, self._workspace.org_url
        host = sanitize(urlsplit(url).hostname or url or "no org", limit=60)
        profile = f"{sanitize(settings.profile, limit=40)}  " if settings.profile else ""
        if len(profile) + len(host) > cells // 2:
            profile = ""
        colour = COLOURS.get(settings.colour)
        around, style = ("", "$foreground") if colour is None else (" ", colour)
        return Fact(Content.assemble((f"{around}{profile}", style), (f"{host}{around}", f"{style} bold")))

    def _operator(self, *, wide: bool) -> Fact:
        operator = self._workspace.operator
        mode = f" ({operator.auth_mode})" if operator.auth_mode and wide else ""
        return fact(f"{self._who}{mode}", "$quiet", drop=3)

    def _badges(self) -> list[Fact]:
        workspace = self._workspace
        badges = []
        if workspace.demo:
            badges.append(fact(" DEMO ", "$accent on $panel bold reverse"))
        if workspace.settings.read_only:
            badges.append(fact(" READ-ONLY ", "$warning on $panel bold reverse"))
        return badges
