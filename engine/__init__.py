"""Face work on arrays: landmarks, alignment, inference, masks, color, blending.

Nothing in here knows a thread, a device, a clock or (models aside) a file.
"""

import os
from typing import Final

MOST_PIXELS: Final = 8192 * 8192
"""Of a picture from outside: a few hundred bytes can announce one that fills all memory."""

# OpenCV reads it once, when it is loaded, and refuses larger pictures before it decodes them.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PIXELS))
