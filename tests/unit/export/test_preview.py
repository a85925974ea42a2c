from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from export.model import FaceSwapper
from export.pair_folder import PairBatches, PairFolder
from export.preview import preview_grid, tensor_to_pictures, write_preview
from export.samples import Batch, pictures_to_tensor
from tests.unit.export import tiny
from tests.unit.export.tiny_networks import TINY_LIGHT


def test_a_picture_survives_the_way_to_the_network_and_back() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 5, 5, 3), np.uint8)
    tensor = pictures_to_tensor(pictures, torch.device("cpu"))
    np.testing.assert_array_equal(tensor_to_pictures(tensor), pictures)


def test_pairs_show_input_both_decoders_and_the_target_of_b(tmp_path: Path) -> None:
    tiny.write(tmp_path / "shard-00000.npz", tiny.shard(1))
    tiny.write(tmp_path / "holdout-00000.npz", tiny.shard(6))
    batches = PairFolder(tmp_path, TINY_LIGHT, PairBatches(), 0).validation(6)
    network = FaceSwapper(TINY_LIGHT)
    grid = preview_grid(network, batches)
    assert grid.shape == (2 * 64, 3 * 4 * 64, 3)
    first = grid[:64, : 4 * 64]
    enlarged = batches[0].face[0].repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(first[:, :64], enlarged)
    np.testing.assert_array_equal(first[:, 192:], batches[0].target[0])
    for index, side in ((1, "a"), (2, "b")):
        drawn = network(pictures_to_tensor(batches[0].face[:1], torch.device("cpu")), side)
        shown = first[:, index * 64 : index * 64 + 64].astype(int)
        assert np.abs(shown - tensor_to_pictures(drawn.detach())[0]).max() <= 1


def test_unpaired_sides_show_their_own_decoder_first() -> None:
    rng = np.random.default_rng(0)
    batches = []
    for side in ("a", "b"):
        face = rng.integers(0, 256, (1, 32, 32, 3), np.uint8)
        target = rng.integers(0, 256, (1, 64, 64, 3), np.uint8)
        flat = np.zeros((1, 64, 64), np.uint8)
        batches.append(Batch(side, face, target, flat, flat, flat))
    network = FaceSwapper(TINY_LIGHT)
    grid = preview_grid(network, batches)
    second = grid[:, 4 * 64 : 8 * 64]
    own = network(pictures_to_tensor(batches[1].face, torch.device("cpu")), "b")
    shown = second[:, 64:128].astype(int)
    assert np.abs(shown - tensor_to_pictures(own.detach())[0]).max() <= 1
    np.testing.assert_array_equal(second[:, 192:], batches[1].target[0])


def test_the_file_is_replaced_whole(tmp_path: Path) -> None:
    grid = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    write_preview(tmp_path / "preview.png", grid)
    assert [path.name for path in tmp_path.iterdir()] == ["preview.png"]
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "preview.png")), grid)
