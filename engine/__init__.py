"""Face work on arrays: landmarks, alignment, inference, masks, color, blending.

Nothing in here knows a thread, a device, a clock or (models aside) a file.
"""

import os
from typing import Final

MOST_PIXELS: Final = 8192 * 8192
"""Of a picture from outside: a few hundred bytes can announce one that fills all memory."""

# Libraries read these once, when they are loaded. ONNX Runtime would report what it runs to its
# makers, from a thread that may hold up the end of the program. OpenCV refuses larger pictures
# before it decodes them.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PIXELS))
