"""Messages of a page that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.web.messages import jpeg_size, unpack_camera


@given(st.binary(max_size=64))
def test_other_bytes_are_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"picture|number"):
        unpack_camera(message[:9] + message[11:])


@given(st.binary(max_size=200))
def test_the_size_of_rubbish_is_refused_or_a_number(rubbish: bytes) -> None:
    try:
        width, height = jpeg_size(b"\xff\xd8" + rubbish)
    except ValueError:
        return
    assert 0 <= width < 65_536
    assert 0 <= height < 65_536
