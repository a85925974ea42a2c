from __future__ import annotations

from pathlib import Path

import pytest

from engine.swap import ModelInfo
from stream.consent import check_consent
from stream.errors import ConfigError
from tests.tiny_models import METADATA


def info(**changes: str) -> ModelInfo:
    entries = {f"facestream.{key}": value for key, value in (METADATA | changes).items()}
    entries = {key: value for key, value in entries.items() if value != "-"}
    return ModelInfo.from_metadata(entries, Path("m.onnx"))


def test_a_model_with_a_statement_needs_nobody() -> None:
    check_consent(info(), "m.onnx", "")


@pytest.mark.parametrize("consent", ["", "  ", "-"])
def test_without_a_statement_somebody_has_to_vouch(consent: str) -> None:
    with pytest.raises(ConfigError, match=r"m\.onnx: says nothing .* --i-have-consent"):
        check_consent(info(consent=consent), "m.onnx", "")
    with pytest.raises(ConfigError, match="consent"):
        check_consent(info(consent=consent), "m.onnx", "  ")
    check_consent(info(consent=consent), "m.onnx", "Ada")


def test_what_a_model_does_not_say_is_empty() -> None:
    about = info(persona="-", licence="-", consent="-")
    assert (about.persona, about.licence, about.consent) == ("", "", "")
