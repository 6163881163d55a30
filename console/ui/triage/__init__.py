"""The panes of the triage screen."""
