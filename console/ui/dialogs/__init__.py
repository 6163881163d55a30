"""Questions and forms over the screens."""
