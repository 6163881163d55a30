"""A keyring in the file that EVICT_TESTS_KEYRING names, for commands in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from keyring.backend import KeyringBackend


class FileKeyring(KeyringBackend):
    """PYTHON_KEYRING_BACKEND=tests.support.file_keyring.FileKeyring"""

    priority = 1  # type: ignore[assignment]

    @property
    def _path(self) -> Path:
        return Path(os.environ["EVICT_TESTS_KEYRING"])

    def _held(self) -> dict[str, str]:
        if told := os.environ.get("EVICT_TESTS_KEYRING_CHILD"):
            # As backends do that run a program of the system's: what it inherits is told in this file.
            subprocess.run(["/bin/sh", "-c", 'env >> "$1"', "sh", told], check=True)
        return json.loads(self._path.read_text()) if self._path.exists() else {}

    def get_password(self, service: str, username: str) -> str | None:
        return self._held().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._path.write_text(json.dumps(self._held() | {f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        held = self._held()
        del held[f"{service}/{username}"]
        self._path.write_text(json.dumps(held))
