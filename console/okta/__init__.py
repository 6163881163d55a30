"""Okta's API, typed; nothing here decides what Evict does."""
