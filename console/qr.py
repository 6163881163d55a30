"""A QR code for a terminal: two rows of modules to a line in half blocks, or plain ASCII where those are missing."""

from __future__ import annotations

BORDER = 2
"""Modules of quiet zone; scanners are content with half of what the standard asks for."""
HALVES = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
"""By (upper is dark, lower is dark): what is drawn is light, as on a dark terminal the paper is."""


def modules(text: str) -> list[list[bool]]:
    """Rows of modules, quiet zone included; True is dark. Raises ValueError for more than a code holds."""
    import segno  # only who is shown a code pays for it

    try:
        code = segno.make_qr(text, error="l", boost_error=False)
    except segno.DataOverflowError:
        raise ValueError("this is too long for a QR code") from None
    return [[bool(module) for module in row] for row in code.matrix_iter(border=BORDER)]


def half_blocks(text: str) -> list[str]:
    """Lines of half blocks. Raises ValueError for more than a code holds."""
    rows = modules(text)
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(HALVES[both] for both in zip(upper, lower, strict=True)) for upper, lower in pairs]


def ascii_blocks(text: str) -> list[str]:
    """Lines of two characters a module, which is about square. Raises ValueError for more than a code holds."""
    return ["".join("  " if dark else "##" for dark in row) for row in modules(text)]


def for_encoding(text: str, encoding: str) -> list[str]:
    """Half blocks where `encoding` has them, else ASCII; nothing for more than a code holds."""
    try:
        "".join(HALVES.values()).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        draw = ascii_blocks
    else:
        draw = half_blocks
    try:
        return draw(text)
    except ValueError:
        return []
