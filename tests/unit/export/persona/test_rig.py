"""The rig's text formats, on files of a few lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from export.persona.errors import AssetError
from export.persona.rig import (
    Rig,
    head_rotation,
    load_obj,
    load_proxy,
    load_target,
)

SQUARE = """
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 9 9 9
vt 0 0
vt 1 0
vt 1 1
vt 0 1
g joint
f 1/1 2/2 5/3
g body
f 1/1 2/2 3/3 4/4
f 1 2 3
"""
FITTING = """# a comment
x_scale 0 1 2.0
verts 0
material hair.mhmat

0 1 3 0.25 0.5 0.25 1.0 0.0 0.5
2
"""
LINE = "v 0 0 0\nv 1 1 1\nf 1 2 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "square.obj").write_text(SQUARE)
    (tmp_path / "hair.mhclo").write_text(FITTING)
    (tmp_path / "hair.obj").write_text(LINE)
    return tmp_path


def test_an_obj_keeps_all_vertices_but_only_the_faces_of_its_group(folder: Path) -> None:
    mesh = load_obj(folder / "square.obj", "body")
    assert len(mesh.vertices) == 5
    assert mesh.faces.tolist() == [[0, 1, 2, 3], [0, 1, 2, 2]]
    assert mesh.face_uv.tolist() == [[0, 1, 2, 3], [0, 0, 0, 0]]


def test_an_obj_without_the_group_is_an_error_that_names_it(folder: Path) -> None:
    with pytest.raises(AssetError, match="'shoes'"):
        load_obj(folder / "square.obj", "shoes")


def test_a_missing_file_says_where_assets_come_from(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"ORIGIN\.md"):
        load_target(tmp_path / "none.target")


def test_a_proxy_follows_weighted_anchors_and_scales_its_offset(folder: Path) -> None:
    proxy = load_proxy(folder / "hair.mhclo", folder / "hair.obj")
    base = load_obj(folder / "square.obj").vertices * [3.0, 1.0, 1.0]
    fitted = proxy.fit(base)
    # The reference distance is 3 where 2 means scale 1, so the offset in x grows by half.
    assert fitted[0] == pytest.approx([0.5 * 3.0 + 1.5, 0.25, 0.5])
    assert fitted[1] == pytest.approx(base[2])


def test_a_proxy_for_another_mesh_is_an_error(folder: Path) -> None:
    with pytest.raises(AssetError, match="fits 2 vertices, expected 5"):
        load_proxy(folder / "hair.mhclo", folder / "square.obj")


def test_a_morph_adds_weighted_offsets_to_a_copy(folder: Path) -> None:
    (folder / "3dobjs").mkdir()
    (folder / "3dobjs" / "base.obj").write_text(SQUARE)
    (folder / "targets" / "nose").mkdir(parents=True)
    (folder / "targets" / "nose" / "long.target").write_text("# wide\n2 0 0 2\n0 1 0 0\n")
    rig = Rig(folder, lowest=-1)
    moved = rig.morph(rig.base.vertices, {"nose/long": 0.5, "nose/absent": 0.0})
    assert moved[2].tolist() == [1, 1, 1]
    assert moved[0].tolist() == [0.5, 0, 0]
    assert rig.base.vertices[2].tolist() == [1, 1, 0]


def test_the_rig_leaves_out_what_is_below(folder: Path) -> None:
    (folder / "3dobjs").mkdir()
    (folder / "3dobjs" / "base.obj").write_text(f"{SQUARE}f 3 4 5\n")
    assert Rig(folder, lowest=0.6).base.faces.tolist() == [[2, 3, 4, 4]]


def test_yaw_turns_the_face_to_the_figures_left_and_pitch_turns_it_down() -> None:
    face = np.array([0.0, 0.0, 1.0])
    assert (head_rotation(30, 0, 0) @ face)[0] == pytest.approx(0.5)
    assert (head_rotation(0, 30, 0) @ face)[1] == pytest.approx(-0.5)
    top = head_rotation(0, 0, 30) @ [0.0, 1.0, 0.0]
    assert top[0] == pytest.approx(-0.5)
