"""What can go wrong while faces are extracted and while training."""

from engine.errors import EngineError


class TrainingError(EngineError):
    """Training cannot start or go on; the message says what to do."""


class CheckpointError(EngineError):
    """A checkpoint is missing, damaged, or belongs to another network."""


class ExtractionError(EngineError):
    """Faces cannot be extracted or stored; the message says what to do."""


class InputError(ExtractionError):
    """A source or an option that makes no sense: the user has to change it."""
