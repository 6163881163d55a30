"""Makes every run of the screens alike: no animation, no blinking cursor, no colours from the developer's shell."""

from __future__ import annotations

import os

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read when textual is imported
for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_FILTERS"):
    os.environ.pop(name, None)

import sys  # noqa: E402

import pytest  # noqa: E402
import pytest_textual_snapshot  # noqa: E402

from tests.support import idle, parsed  # noqa: E402

idle.install()
parsed.install()

# syrupy 5 renamed the hook by which the plugin asks for .svg; this is harmless on syrupy 4.
pytest_textual_snapshot.SVGImageExtension.file_extension = "svg"


@pytest.fixture(autouse=True)
def still_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.widgets.Input._toggle_cursor", lambda self: None)


@pytest.fixture(autouse=True)
def quick_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question may be answered as soon as it is there; that it takes a moment has a test of its own."""
    from console.ui.screens.confirm import Confirm

    monkeypatch.setattr(Confirm, "on_mount", Confirm.arm)


DRAWN_ON = (3, 11)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Pictures are compared, and blessed, on one Python only: what an f-string or a repr says may differ on others."""
    if sys.version_info[:2] == DRAWN_ON:
        return
    if config.option.update_snapshots:
        raise pytest.UsageError("bless snapshots on Python 3.11")
    skip = pytest.mark.skip(reason="pictures are drawn on Python 3.11")
    for item in items:
        if "snap_compare" in getattr(item, "fixturenames", ()):
            item.add_marker(skip)
