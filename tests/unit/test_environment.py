"""Secrets are read from the environment and inherited by nobody."""

from __future__ import annotations

import os
import subprocess

import pytest

from console import environment
from console.settings import load

VALUE = "00canary-token-never-to-be-seen"


def test_no_child_inherits_what_the_settings_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_taken", {})
    monkeypatch.setenv("EVICT_TOKEN", VALUE)
    monkeypatch.setenv("EVICT_READ_ONLY", "yes")
    environment.take_secrets()
    inherited = subprocess.run(["/usr/bin/env"], capture_output=True, text=True, check=True).stdout
    assert VALUE not in inherited
    assert "EVICT_READ_ONLY=yes" in inherited
    assert "EVICT_TOKEN" not in os.environ
    settings = load()
    assert settings.token is not None
    assert (settings.token.get_secret_value(), settings.sources["token"]) == (VALUE, "environment EVICT_TOKEN")
    monkeypatch.setenv("EVICT_TOKEN", "00another")
    assert environment.variables()["EVICT_TOKEN"] == "00another", "what is set later is meant"
