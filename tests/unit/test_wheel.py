"""The wheel carries themes and styles: it is built, installed elsewhere and asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import sys
sys.path.insert(0, sys.argv[1])
import console
from console import paths
assert console.__file__.startswith(sys.argv[1]), console.__file__
print(len(list(paths.themes_dir().glob("*.toml"))), len(list(paths.themes_dir().parent.rglob("*.tcss"))))
"""


@pytest.mark.slow
def test_installed_elsewhere_it_has_its_themes_and_styles(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignore = shutil.ignore_patterns(".git", ".venv", ".pytest_tmp", "tests", "*_cache", "__pycache__")
    shutil.copytree(ROOT, source, ignore=ignore)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, check=True, capture_output=True, cwd=source)
    wheel = next(tmp_path.glob("evict-*.whl"))
    target = tmp_path / "elsewhere"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    done = subprocess.run(
        [sys.executable, "-P", "-c", ASK, str(target)], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    themes, styles = map(int, done.stdout.split())
    assert themes == len(list((ROOT / "themes").glob("*.toml"))) >= 3
    assert styles == len(list((ROOT / "console").rglob("*.tcss"))) >= 1
    said = subprocess.run(
        [sys.executable, "-P", "-m", "console", "--version"],
        check=True, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(target)},
    )  # fmt: skip
    assert said.stdout == f"evict {wheel.name.split('-')[1]}\n"
    entry = next(target.glob("evict-*.dist-info/entry_points.txt")).read_text()
    assert "evict = console.__main__:main" in entry
