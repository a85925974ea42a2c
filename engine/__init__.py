"""Face work on arrays: landmarks, alignment, inference, masks, color, blending.

Nothing in here knows a thread, a device, a clock or (models aside) a file.
"""
