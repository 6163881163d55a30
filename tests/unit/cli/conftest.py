from __future__ import annotations

import pytest

from tests.support.cli import Shell, make_shell


@pytest.fixture
def evict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command line on a demo org of 300 users."""
    return make_shell(monkeypatch, capsys)
