"""What is printed is safe, whoever hands it over."""

from __future__ import annotations

import io
import json

import pytest

from console.cli.output import Output

HOSTILE = "a\x1b]0;x\x07b\u202ec\r\nd"


def test_no_control_character_reaches_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Output() as out:
        out.row([(HOSTILE, 20), (HOSTILE, 0)])
        out.line(HOSTILE)
        out.table(("head",), [(HOSTILE,)])
        out.talk(HOSTILE)
    said = capsys.readouterr()
    assert said.out.replace("\n", "").isprintable()
    assert said.err.replace("\n", "").isprintable()
    assert len(said.out.splitlines()) == 4


def test_json_is_one_line_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    with Output(as_json=True) as out:
        out.record({"name": "José\n\u2028😀"})
    (line,) = capsys.readouterr().out.split("\n")[:-1]
    assert json.loads(line) == {"name": "José\n\u2028😀"}


def test_what_was_written_last_is_flushed_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the interpreter does it at exit, and a full disk would show as its noise instead of our message."""
    calls: list[str] = []

    class Noting(io.StringIO):
        def write(self, text: str) -> int:
            calls.append("write")
            return len(text)

        def flush(self) -> None:
            calls.append("flush")

    monkeypatch.setattr("sys.stdout", Noting())
    out = Output()
    out._jobs.put(lambda: out._print("a line"))
    out._jobs.put(None)
    out._work()
    assert calls == ["write", "flush"]


@pytest.mark.parametrize(
    ("typed", "answer", "said"), [("y\n", "y", "Well? "), (" no \n", "no", "Well? "), ("", "", "Well? \n")]
)
def test_an_answer_that_never_came_ends_the_line(
    typed: str, answer: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert Output().ask("Well?") == answer
    assert capsys.readouterr().err == said


def test_an_interrupt_ends_the_line_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(io.StringIO):
        def readline(self, size: int | None = -1, /) -> str:
            raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        Output().ask("Well?")
    assert capsys.readouterr().err == "Well? \n"


def test_talk_keeps_the_spaces_that_line_things_up(capsys: pytest.CaptureFixture[str]) -> None:
    Output().talk("  case       INC-1")
    assert capsys.readouterr().err == "  case       INC-1\n"
