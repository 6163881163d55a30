"""Every key of the console, once: feeds the footer, the help screen, remapping by id, and the README."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType
from textual.keys import key_to_character

PLACES = {
    "app": "Everywhere",
    "table": "In a list",
    "box": "While typing",
    "triage": "Triage",
    "history": "History",
    "filter": "In the filter of the history",
    "limits": "Limits",
    "help": "Help",
}
"""Where a key works, in the order of the help screen, with its heading."""

FORBIDDEN = frozenset({"ctrl+m", "ctrl+i", "ctrl+h", "ctrl+j", "ctrl+left_square_bracket"})
"""Terminals send these as Enter, Tab, Backspace, Newline and Escape: nobody could tell them apart."""


@dataclass(frozen=True, slots=True)
class Key:
    """One binding. `keys` is comma-separated, as Textual takes it; `show` puts it into the footer."""

    id: str
    keys: str
    action: str
    description: str
    where: str
    show: bool = False
    priority: bool = False
    label: str = ""
    """Short form for the footer; the description where empty."""
    tip: str = ""
    """A sentence more, for the help screen."""


KEYS: tuple[Key, ...] = (
    Key("app.triage", "1", "app.go('triage')", "Triage: find users, fill and run the queue", "app", label="Triage"),
    Key("app.history", "2", "app.go('history')", "History: what was revoked, by whom and why", "app", label="History"),
    Key("app.limits", "3", "app.go('limits')", "Limits: what the org lets us send", "app", label="Limits"),
    Key("app.pause", "z", "app.pause", "Pause the running batch, or go on", "app", label="Pause"),
    Key("app.stop", "x", "app.stop", "Stop: nothing more is sent", "app", label="Stop"),
    Key("app.palette", "ctrl+p", "app.command_palette", "Command palette", "app", priority=True, label="Commands"),
    Key("app.palette_colon", "colon", "app.command_palette", "Command palette", "app"),
    Key("app.help", "question_mark", "app.help", "Help", "app", show=True),
    Key("app.help_f1", "f1", "app.help", "Help, also while typing", "app", show=True, priority=True, label="Help"),
    Key("app.theme", "f2", "app.next_theme", "Next theme", "app", label="Theme"),
    Key("app.profile", "f3", "app.switch_profile", "Switch profile: to another org", "app", label="Profile"),
    Key("app.jump", "ctrl+o", "app.jump", "Jump to a part of the screen", "app", label="Jump"),
    Key(
        "app.quit", "ctrl+q", "app.quit", "Quit; asks while a batch runs", "app", show=True, priority=True, label="Quit"
    ),
    Key("table.down", "down,j", "down", "Down", "table"),
    Key("table.up", "up,k", "up", "Up", "table"),
    Key("table.page_down", "pagedown,ctrl+f", "page_down", "A page down", "table"),
    Key("table.page_up", "pageup,ctrl+b", "page_up", "A page up", "table"),
    Key("table.first", "home,g", "first", "First row", "table"),
    Key("table.last", "end,G", "last", "Last row", "table"),
    Key("table.mark", "space", "mark", "Mark, and move down", "table", show=True, label="Mark"),
    Key("table.mark_range", "ctrl+space,ctrl+@", "mark_range", "Mark from the last mark to here", "table"),
    Key("table.mark_all", "a", "mark_all", "Mark all in view", "table", label="All"),
    Key("table.invert", "asterisk", "invert_marks", "Invert the marks", "table"),
    Key("table.clear", "ctrl+backslash", "clear_marks", "Clear the marks", "table"),
    Key("table.choose", "enter", "choose", "Details", "table", show=True),
    Key("table.sort", "s", "sort_next", "Sort by the next column", "table", label="Sort"),
    Key("table.sort_reverse", "S", "sort_reverse", "Reverse the sort", "table"),
    Key("box.list", "down", "leave", "To the list; Enter and Esc go there too", "box", show=True, label="List"),
    Key("triage.search", "slash", "search", "Search; Esc gives the list back", "triage", show=True, label="Search"),
    Key("triage.stage", "plus", "stage", "Put what is marked into the queue", "triage", show=True, label="Queue"),
    Key(
        "triage.unstage",
        "minus,delete,backspace",
        "unstage",
        "Take marked out of the queue",
        "triage",
        label="Unqueue",
    ),
    Key("triage.paste", "p", "paste", "Paste targets", "triage", show=True, label="Paste"),
    Key("triage.open", "o", "open_file", "Open a file of targets", "triage", label="File"),
    Key("triage.plan", "O", "open_plan", "Open a plan that a colleague made", "triage", label="Plan"),
    Key("triage.tokens", "t", "toggle_tokens", "OAuth tokens too: on, off", "triage", label="Tokens"),
    Key("triage.devices", "f", "toggle_devices", "Forget devices too: on, off", "triage", label="Devices"),
    Key("triage.case", "c", "case", "Case and reason", "triage", show=True, label="Case"),
    Key("triage.review", "r", "review", "Review and run", "triage", show=True, label="Run"),
    Key("triage.undo", "u", "undo", "Undo, as long as nothing is sent", "triage", label="Undo"),
    Key("triage.retry", "R", "retry", "Stage again what failed", "triage", label="Retry"),
    Key("triage.clear", "C", "clear_finished", "Clear away what has an outcome", "triage", label="Clear"),
    Key("triage.more", "m", "more", "Load the rest of a long search", "triage", label="More"),
    Key("triage.unresolved", "n", "unresolved", "Targets that gave no user, and why", "triage", label="Not resolved"),
    Key("triage.other", "tab", "other_list", "Go between the users found and the queue", "triage", label="Other list"),
    Key(
        "triage.ask",
        "d",
        "ask",
        "Ask Okta about the user under the cursor: anew, or while a batch runs",
        "triage",
        label="Ask Okta",
    ),
    Key("triage.copy", "y", "copy_id", "Copy the ID", "triage", label="Copy ID"),
    Key("triage.copy_login", "Y", "copy_login", "Copy the login", "triage", label="Copy login"),
    Key("triage.export", "e", "export", "Export", "triage", label="Export"),
    Key("history.filter", "slash", "filter", "Filter; Esc gives the list back", "history", show=True, label="Filter"),
    Key(
        "history.requeue",
        "R",
        "requeue",
        "Put users into the queue again",
        "history",
        show=True,
        label="Queue again",
    ),
    Key("history.export", "e", "export", "Export what is marked, or all", "history", show=True, label="Export"),
    Key("history.user", "m", "same_user", "More of the same user", "history", label="Same user"),
    Key("history.case", "i", "same_case", "All of the same case", "history", label="Same case"),
    Key("history.batch", "b", "same_batch", "All of the same batch", "history", label="Same batch"),
    Key("history.notices", "n", "notices", "What was found wrong with the history", "history", label="Notices"),
    Key("history.copy", "y", "copy_id", "Copy the user's ID", "history", label="Copy ID"),
    Key("history.copy_login", "Y", "copy_login", "Copy the user's login", "history", label="Copy login"),
    Key("history.verify", "v", "verify", "Verify that the history is whole", "history", show=True, label="Verify"),
    Key(
        "filter.older",
        "up",
        "older",
        "What was looked for before",
        "filter",
        show=True,
        label="Before",
    ),
    Key("limits.pace", "p", "next_pace", "Sprint or spread", "limits", show=True, label="Pace"),
    Key(
        "limits.more",
        "plus",
        "reserve(5)",
        "A larger reserve for everyone else",
        "limits",
        show=True,
        label="Reserve more",
    ),
    Key("limits.less", "minus", "reserve(-5)", "A smaller reserve", "limits", show=True, label="less"),
    Key(
        "limits.wider", "greater_than_sign", "in_flight(1)", "One request more at once", "limits", label="More at once"
    ),
    Key("limits.narrower", "less_than_sign", "in_flight(-1)", "One request fewer at once", "limits", label="Fewer"),
    Key(
        "limits.emergency",
        "exclamation_mark",
        "emergency",
        "Emergency: use the reserve too (asks first), or leave it again",
        "limits",
        show=True,
        label="Emergency",
    ),
    Key("help.close", "escape,q", "close", "Close", "help", show=True),
)
"""The keys, in the order in which the footer and the help screen show them."""


def bindings(where: str) -> list[BindingType]:
    """What a screen or widget of that place puts into its BINDINGS."""
    return [
        Binding(
            key.keys,
            key.action,
            key.label or key.description,
            show=key.show,
            priority=key.priority,
            tooltip=key.tip or key.description,
            id=key.id,
        )
        for key in KEYS
        if key.where == where
    ]


_DISPLAY = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "plus": "+",
    "minus": "-",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "exclamation_mark": "!",
    "asterisk": "*",
    "ctrl+backslash": "ctrl+\\",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "down": "↓",
    "up": "↑",
    "home": "Home",
    "end": "End",
    "delete": "Del",
    "backspace": "Bksp",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "f1": "F1",
    "f2": "F2",
    "f3": "F3",
}


def display(keys: str) -> str:
    """Keys as people write them: `j ↓`, `ctrl+\\`."""
    shown = [
        _DISPLAY.get(key) or (key_to_character(key) or "").strip() or key for key in keys.split(",") if key != "ctrl+@"
    ]
    return " ".join(shown)


def markdown() -> str:
    """The keys as a Markdown table, for the README: one row each, the name of the place in its first."""
    lines = ["| where | key | does | name |", "|---|---|---|---|"]
    for place, heading in PLACES.items():
        keys = [key for key in KEYS if key.where == place]
        for number, key in enumerate(keys):
            shown = " ".join(f"`{part}`" for part in display(key.keys).split(" "))
            lines.append(f"| {'' if number else heading} | {shown} | {key.description} | `{key.id}` |")
    return "\n".join(lines) + "\n"
