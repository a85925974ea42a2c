"""What can go wrong while training."""

from engine.errors import EngineError


class TrainingError(EngineError):
    """Training cannot start or go on; the message says what to do."""


class CheckpointError(EngineError):
    """A checkpoint is missing, damaged, or belongs to another network."""
