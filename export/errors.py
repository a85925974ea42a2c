"""What can go wrong while faces are extracted, while training and while exporting."""

from __future__ import annotations

from engine.errors import EngineError, ModelError


class TrainingError(EngineError):
    """Training cannot start or go on; the message says what to do."""


class CheckpointError(EngineError):
    """A checkpoint is missing, damaged, or belongs to another network."""


class ParityError(ModelError):
    """An exported model does not draw what its network draws; it was not written."""


class ExtractionError(EngineError):
    """Faces cannot be extracted or stored; the message says what to do."""


class InputError(ExtractionError):
    """A source or an option that makes no sense: the user has to change it."""
