"""Evict: a terminal console that revokes Okta sessions."""

__version__ = "0.1.0"
