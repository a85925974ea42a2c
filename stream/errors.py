"""What can go wrong while streaming."""


class StreamError(Exception):
    """Base of all streaming errors; the message says what, got, expected and what to do."""


class ConfigError(StreamError):
    """An option, a config key or a value that makes no sense: the user has to change it."""


class SourceError(StreamError):
    """A source that cannot be opened or read."""


class SinkError(StreamError):
    """A sink that cannot be opened or written."""
