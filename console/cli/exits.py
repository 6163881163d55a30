"""Exit codes of the `evict` command."""

from __future__ import annotations

OK = 0
"""All revoked, or nothing to do."""
INCOMPLETE = 1
"""Some not revoked, not found or not reached; also an unsound history."""
USAGE = 2
"""Wrong usage or settings; also a history that can't be written."""
REFUSED = 3
"""Okta refused the credential."""
INTERRUPTED = 130
"""Interrupted, by Ctrl-C or a signal."""
