"""What is here takes its time: `make crash` in full, `make long` and CI in short."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is long."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.long)
