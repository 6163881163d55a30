"""The demo org: an ASGI app that behaves as Okta does."""
