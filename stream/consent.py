"""Whether the person whom a model shows has agreed, and who says so."""

from __future__ import annotations

from engine.swap import ModelInfo
from stream.errors import ConfigError


def check_consent(info: ModelInfo, model: str, vouched_by: str) -> None:
    """Refuse a model that carries no statement of consent, unless somebody vouches for it.

    Args:
        info: what the model says of itself.
        model: its name or path, for the message.
        vouched_by: name of whoever has the consent, empty if nobody says so.

    Raises:
        ConfigError: neither the model nor anybody else says that there is consent.
    """
    if not info.consent.strip() and not vouched_by.strip():
        raise ConfigError(
            f"model {model}: says nothing of the consent of {info.persona or 'whom it shows'}; "
            "if you have it, say so with --i-have-consent YOUR-NAME, which is put down in the "
            "session log"
        )
