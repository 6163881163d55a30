"""What the files and tables of a history are called."""

from __future__ import annotations

PATTERN = "history-*.jsonl"
"""Segments."""
RECORDS = "revocations"
BATCHES = "batches"
