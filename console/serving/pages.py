"""What the browser is given: a page of ours, and the terminal and font of textual-serve. Nothing of another origin."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

import textual_serve

HERE = Path(__file__).parent / "page"
THEIRS = Path(textual_serve.__file__).parent / "static"
FILES = {
    "page.css": HERE / "page.css",
    "page.js": HERE / "page.js",
    "xterm.css": THEIRS / "css" / "xterm.css",
    "textual.js": THEIRS / "js" / "textual.js",
    "mono.ttf": THEIRS / "fonts" / "RobotoMono-VariableFont_wght.ttf",
    "mono-italic.ttf": THEIRS / "fonts" / "RobotoMono-Italic-VariableFont_wght.ttf",
}
"""All that is served beside the page, by name. There is no folder to look into."""
NO_ENTRY = "The address is good for one opening, by one browser. To open the console anew, start  evict serve  again."
ELSEWHERE = "The console is open in another tab or window. Close it there, then open it here."
ENDED = "The console has ended."
FAILED = "The console has ended. The terminal in which evict serve runs says why."


def console_page(host: str, path: str) -> str:
    """The page with the terminal in it."""
    return Template((HERE / "console.html").read_text("utf-8")).substitute(socket=escape(f"ws://{host}{path}ws"))


def refusal_page(why: str, *, again: bool = False) -> str:
    """A page with one sentence. `again` adds a link to itself: a cookie is sent on a step from our own page only."""
    page = Template((HERE / "refusal.html").read_text("utf-8"))
    return page.substitute(why=escape(why), again='<p><a href="">Try once more</a></p>' if again else "")


def policy(host: str) -> str:
    """What the page may load and do. The terminal writes its own style elements, hence `unsafe-inline` for those."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "font-src 'self'",
            "img-src data:",
            f"connect-src 'self' ws://{host}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
