"""What can go wrong in the engine."""


class EngineError(Exception):
    """Base of all engine errors; the message says what, got, expected and what to do."""


class ModelError(EngineError):
    """A model file is missing, damaged, or does not follow the expected contract."""


class DeviceError(EngineError):
    """The execution device that was asked for could not be had.

    Attributes:
        reason: why, without the advice.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason
