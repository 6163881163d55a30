"""`make screenshots`: drives the console on the demo org and draws an incident in six pictures into screenshots/."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "screenshots"
SIZE = (120, 36)


@dataclass(frozen=True)
class Picture:
    """One picture: the scene it shows, by its name in `tests.support.scenes`, and what to say of it."""

    scene: str
    says: str
    settings: Mapping[str, Any] = field(default_factory=dict)


PICTURES: dict[str, Picture] = {
    "searching": Picture("searching", "Users found as the name is typed, three of them marked"),
    "details": Picture("details", "Three users in the queue; a closer look at a fourth, which may be software"),
    "review": Picture("review_many", "The review: who, what, how long, and what speaks against it"),
    "draining": Picture("draining", "A batch draining while a search goes on beside it", {"users": 700}),
    "history": Picture("proof", "The history of the case, and one record with both of its attempts"),
    "limits": Picture("limits_draining", "The limits of the org while the batch waits", {"users": 700}),
}
"""In the order of the story."""


def plain(svg: str) -> str:
    """The picture without fonts from elsewhere, and with IDs that are the same at every drawing."""
    svg = re.sub(r"\s*@font-face \{.*?\n    \}", "", svg, flags=re.DOTALL)
    return re.sub(r"\bterminal-\d+-", "terminal-", svg)


async def draw(name: str) -> str:
    """One picture as SVG."""
    from tests.support import scenes

    picture = PICTURES[name]
    with tempfile.TemporaryDirectory(prefix="evict-picture-") as own:
        async with scenes.staged(SIZE, data_dir=Path(own), **picture.settings) as stage:
            await getattr(scenes, picture.scene)(stage)
            return plain(stage.app.export_screenshot(title="Evict", simplify=True)) + "\n"


async def _draw_all() -> None:
    from tests.support import idle

    idle.install()
    FOLDER.mkdir(exist_ok=True)
    for name in PICTURES:
        svg = await draw(name)
        path = FOLDER / f"{name}.svg"
        changed = not path.exists() or path.read_text(encoding="utf-8") != svg
        path.write_text(svg, encoding="utf-8")
        print(f"{'drawn ' if changed else 'as was'}  {path.relative_to(FOLDER.parent)}")


def main() -> int:
    """Draw all of them, away from whatever belongs to the person who runs it."""
    os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read when textual is imported
    for name in [name for name in os.environ if name.startswith(("EVICT_", "OKTA_"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="evict-pictures-") as own:
        os.environ["EVICT_CONFIG_DIR"] = own
        os.environ["HOME"] = own
        asyncio.run(_draw_all())
    return 0


if __name__ == "__main__":
    sys.exit(main())
