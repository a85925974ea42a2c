"""How a command tells the user that what it was given cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from engine.errors import EngineError


class _InputFailure(click.ClickException):
    exit_code = 2


@contextmanager
def bad_input(
    kind: type[EngineError] = EngineError, unless: type[EngineError] | None = None
) -> Iterator[None]:
    """Turn errors inside the block into one line and exit code 2.

    Args:
        kind: of errors for which the input is to blame.
        unless: of those, failures that other input would not have prevented; they pass.
    """
    try:
        yield
    except kind as error:
        if unless is not None and isinstance(error, unless):
            raise
        raise _InputFailure(str(error)) from error
