"""What every test stands on."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Generator

import pytest

FOREIGN = ("EVICT_", "OKTA_", "XDG_", "COLUMNS", "LINES", "PYTHON_KEYRING")
"""What the shell of whoever runs the tests may hold, and what we read."""

SELDOM = 100
"""Passes over what is younger, until a full one is due; Python's own is 10."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """A folder of our own: pytest < 9.0.3 uses a predictable one under /tmp (CVE-2025-71176)."""
    if config.option.basetemp is None and not hasattr(config, "workerinput"):
        config.option.basetemp = config.stash_basetemp = tempfile.mkdtemp(prefix="evict-tests-")  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    if folder := getattr(config, "stash_basetemp", None):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules and tests live as long as the process: the collector looks for garbage among them neither now nor later.

    What tests leave in the caches of others lives as long, so full passes are rarer, too: one after each test of a
    screen, over more and more that is none, took a sixth of the time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*gc.get_threshold()[:2], SELDOM)
        gc.enable()


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes what belongs to the person who runs it."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    own = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("HOME", str(own))
    monkeypatch.setenv("EVICT_DATA_DIR", str(own / "data"))
    monkeypatch.setenv("EVICT_CONFIG_DIR", str(own / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")  # never the keyring of a person
    monkeypatch.chdir(own)  # an okta.yaml may lie where the tests were started
