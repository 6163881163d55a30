from __future__ import annotations

import pytest

from console import qr

LINK = "https://acme.okta.com/activate?user_code=RGTCFDTL"


def read_half_blocks(lines: list[str]) -> list[list[bool]]:
    """The modules that the lines show."""
    meant = {drawn: both for both, drawn in qr.HALVES.items()}
    rows = []
    for line in lines:
        rows.append([meant[one][0] for one in line])
        rows.append([meant[one][1] for one in line])
    return rows


def test_both_ways_of_drawing_show_the_same_code() -> None:
    modules = qr.modules(LINK)
    assert read_half_blocks(qr.half_blocks(LINK))[: len(modules)] == modules
    assert [[line[at] == " " for at in range(0, len(line), 2)] for line in qr.ascii_blocks(LINK)] == modules


def test_it_has_its_three_corners_and_a_quiet_zone() -> None:
    modules = qr.modules(LINK)
    assert not any(any(row) for row in (*modules[:2], *modules[-2:]))
    for row, column in ((2, 2), (2, len(modules) - 9), (len(modules) - 9, 2)):
        assert all(modules[row][column : column + 7])
        assert modules[row + 1][column : column + 7] == [True, *[False] * 5, True]
    assert not all(modules[-9][-9:-2]), "the fourth corner is free"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no-such-one"])
def test_where_blocks_are_missing_it_is_ascii(encoding: str) -> None:
    assert "".join(qr.for_encoding(LINK, encoding)).isascii()
    assert "█" in "".join(qr.for_encoding(LINK, "utf-8"))


def test_what_no_code_holds_has_none() -> None:
    assert qr.for_encoding("x" * 5000, "utf-8") == []


def test_a_usual_link_fits_beside_its_words_in_a_small_window() -> None:
    lines = qr.half_blocks(LINK)
    assert (len(lines), len(lines[0])) == (17, 33)
