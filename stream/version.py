"""Which facestream this is."""

from __future__ import annotations

import importlib.metadata


def version() -> str:
    """Version of the installed package; 'unknown' in a checkout that is not installed."""
    try:
        return importlib.metadata.version("facestream")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
