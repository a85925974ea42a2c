"""Where a model runs, and how its numbers get there.

`devices` names the places, `tuning` says how ONNX Runtime is set up for each, `lane` runs a model
with the buffers it needs, `gathering` makes one batch of what several threads want, `tensorrt`
finds TensorRT and keeps what it has built.
"""
