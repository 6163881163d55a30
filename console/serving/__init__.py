"""The console in a browser of this machine: who may open it, the page, and the process behind the page."""
