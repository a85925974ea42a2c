"""Offline work: persona data, training, and export to ONNX. The stream never imports this."""
