"""`evict history`: a module a command or two."""
