"""What README shows of the console: its pictures and its keys are those of the code."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET

import pytest

from tests import keys, screenshots
from tests.support import scenes

README = keys.README.read_text(encoding="utf-8")


def test_the_keys_of_the_readme_are_those_of_the_table() -> None:
    assert keys.filled(README) == README, "run  make keys"


def test_a_key_that_the_readme_does_not_have_is_seen() -> None:
    stale = README.replace("`app.quit`", "`app.leave`")
    assert keys.filled(stale) != stale


def test_the_readme_shows_every_picture_with_its_words() -> None:
    for name, picture in screenshots.PICTURES.items():
        assert f"![{picture.says}](screenshots/{name}.svg)" in README
        assert hasattr(scenes, picture.scene)
    shown = set(re.findall(r"screenshots/(\w+)\.svg", README))
    assert shown == set(screenshots.PICTURES) == {path.stem for path in screenshots.FOLDER.glob("*.svg")}


@pytest.mark.parametrize("name", screenshots.PICTURES)
def test_a_picture_loads_nothing_and_names_nobody(name: str) -> None:
    svg = (screenshots.FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert "@font-face" not in svg
    assert "url(http" not in svg
    assert not [tag for tag in ("<script", "<image", "<foreignObject", "href=") if tag in svg]
    assert not re.search(r"terminal-\d", svg), "IDs that change with every drawing"
    text = " ".join(ET.fromstring(svg).itertext()).replace("\xa0", " ")
    assert "demo.okta.test" in text
    hosts = set(re.findall(r"@([\w.-]*)", text))
    assert hosts
    assert all("acme.test".startswith(host) or host == "soc-1" for host in hosts), "logins may be cut, never another's"


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are drawn on Python 3.11")
@pytest.mark.long
@pytest.mark.parametrize("name", screenshots.PICTURES)
async def test_drawing_again_gives_the_same_bytes(name: str) -> None:
    drawn = (screenshots.FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert await screenshots.draw(name) == drawn, "look at the screen, then run  make screenshots"
