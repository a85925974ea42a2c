from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import SourceError
from stream.marking.verification import verify


@pytest.mark.parametrize(("name", "said"), [("", "is a folder"), ("gone.mp4", "no such file")])
def test_what_cannot_be_verified_is_named_for_what_it_is(
    tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(SourceError, match=said):
        verify(tmp_path / name, None, 1)
