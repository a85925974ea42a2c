"""Only free portraits are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from export.persona.errors import AssetError
from export.persona.photos import free_photos


def test_only_public_domain_and_cc0_pass(tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text(
        "file,identity,licence\n"
        "a.jpg,ann,US official (Public Domain)\n"
        "b.jpg,bob,no licence stated\n"
        "c.jpg,cid,CC0-1.0\n"
        "d.jpg,ann,public domain\n"
    )
    photos = free_photos(manifest)
    assert [photo.path.name for photo in photos] == ["a.jpg", "c.jpg", "d.jpg"]
    assert photos[0].identity == photos[2].identity != photos[1].identity
    assert all(0 <= photo.identity < 2**31 for photo in photos)


def test_a_list_without_licences_is_an_error(tmp_path: Path) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text("file,identity\na.jpg,ann\n")
    with pytest.raises(AssetError, match="licence"):
        free_photos(manifest)
