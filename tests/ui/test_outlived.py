"""A terminal that is gone holds nobody up."""

from __future__ import annotations

import io
import threading
from typing import cast

from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from console.ui.outlived import Outlived


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")

    def flush(self) -> None:
        raise OSError(5, "Input/output error")


def test_more_is_written_than_the_queue_takes_and_it_ends() -> None:
    writer = WriterThread(cast("io.StringIO", Outlived(Gone())))
    writer.start()

    def write_all() -> None:
        for _ in range(2 * MAX_QUEUED_WRITES):
            writer.write("x")
        writer.stop()

    console = threading.Thread(target=write_all, daemon=True)
    console.start()
    console.join(10)
    assert not console.is_alive()


def test_a_terminal_that_is_there_gets_everything() -> None:
    there = io.StringIO()
    outlived = Outlived(there)
    assert outlived.write("Evict") == 5
    outlived.flush()
    assert there.getvalue() == "Evict"
