"""What the user can choose about marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from stream.errors import ConfigError

LabelPolicy: TypeAlias = Literal["auto", "on", "off"]
_LONGEST_TEXT = 40


@dataclass(frozen=True, slots=True)
class MarkingSettings:
    """How the output says that it is synthetic.

    Attributes:
        label: the words in a corner; `auto` shows them in live runs.
        text: these words.
        watermark: hide a pattern in the swapped faces that `verify` finds again.
        sign: sign finished files (C2PA).
        certificate: PEM file, the signer's certificate first and its issuers after it; empty
            for one that is made on this machine when it is first needed.
        key: PEM file of the certificate's private key.
    """

    label: LabelPolicy = "auto"
    text: str = "synthetic"
    watermark: bool = True
    sign: bool = False
    certificate: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        if not self.text.strip() or not self.text.isprintable() or len(self.text) > _LONGEST_TEXT:
            raise ConfigError(
                f"text is {self.text!r}; expected 1 to {_LONGEST_TEXT} letters in one line "
                "(--no-label shows no label)"
            )
        if bool(self.certificate) != bool(self.key):
            missing = "key" if self.certificate else "certificate"
            raise ConfigError(f"{missing} is empty; expected a PEM file, as its counterpart is set")

    def shows_label(self, *, live: bool) -> bool:
        """Whether a run shows the label."""
        return live if self.label == "auto" else self.label == "on"
