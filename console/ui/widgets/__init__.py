"""Widgets that more than one screen stands on."""
