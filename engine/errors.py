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


def one_line(text: str, longest: int = 1000) -> str:
    """A text that may come from anywhere, fit for a terminal: no line breaks, no control codes.

    Args:
        text: for people; what cannot be printed is shown as an escape sequence.
        longest: in characters; the rest is left out.
    """
    words = " ".join(text.split())
    printable = "".join(
        letter if letter.isprintable() else ascii(letter)[1:-1] for letter in words[:longest]
    )
    return printable if len(words) <= longest else f"{printable} ..."
