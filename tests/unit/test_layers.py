"""The house's arrows, held at run time too: a static graph cannot see a deferred import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "console"
SERVICES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if path.relative_to(PACKAGE).parts[0] not in {"ui", "cli", "__main__.py"}
)


def test_no_service_loads_textual() -> None:
    code = f"import sys\nfor name in {SERVICES!r}:\n    __import__(name)\nprint('textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) <= 400, "a file with one reason to exist is shorter"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 40, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.tcss")), ids=lambda path: path.name)
def test_styles_name_no_colour(path: Path) -> None:
    named = [line for line in path.read_text().splitlines() if re.search(r":.*#[0-9a-fA-F]{3,8}\b", line)]
    assert not named, "use a theme variable"
