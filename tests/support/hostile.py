"""Text that has broken other consoles: markup, actions, escape codes, wide and invisible characters."""

from __future__ import annotations

HOSTILE = (
    "Bob [/foo] Smith",
    "Eve [@click=app.quit]click[/]",
    "[/",
    "[bold",
    "name\x1b]0;PWNED\x07",
    "name\x1b]52;c;UFdORUQ=\x07",
    "\x1b[2J\x9b31m",
    "evil‮gnp.exe",
    "zero​width",
    "line\nbreak\r\ttab",
    "名前が長い名前が長い名前が長い名前が長い名前が長い名前が長い",
    "👩‍👩‍👧‍👦 family 🏳️‍🌈",
    "Ａｄａ Ｌｏｖｅｌａｃｅ",
    "á̂̃̄ combining",
    "अदिति 👍🏽 ✌️ 1️⃣ \u3164 ﷽ สมชาย h̷̢̛͍",
    '=HYPERLINK("http://x")',
    "$primary {{x}} %s \\",
    "",
)
