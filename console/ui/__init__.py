"""The screens; the only package that imports textual."""

import os

# Textual reads it when it is imported. Of two changes that a key makes, the second waits for the next frame: at 60 a
# second for up to 33 ms. Frames are drawn only where something changed, so that more of them cost nothing.
os.environ.setdefault("TEXTUAL_FPS", "250")
