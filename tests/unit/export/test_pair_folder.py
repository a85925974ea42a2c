from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from export import pair_folder
from export.augment import NO_AUGMENT
from export.dataset import Kind
from export.errors import TrainingError
from export.pair_folder import PairBatches, PairFolder
from tests.unit.export import tiny
from tests.unit.export.tiny_networks import TINY_LIGHT, TINY_ORIGINAL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny.write(tmp_path / "shard-00000.npz", tiny.shard(4))
    tiny.write(tmp_path / "holdout-00000.npz", tiny.shard(6, seed=9))
    return tmp_path


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="has no shard-"):
        PairFolder(tmp_path, TINY_LIGHT, PairBatches(), 0)


def test_a_step_has_both_sides_in_their_share(folder: Path) -> None:
    batches = PairFolder(folder, TINY_LIGHT, PairBatches(size=8, own_share=0.25), 0).draw(0)
    assert [(batch.side, len(batch.face)) for batch in batches] == [("b", 6), ("a", 2)]
    assert batches[0].face.shape == (6, 32, 32, 3)
    assert batches[0].target.shape == (6, 64, 64, 3)
    assert batches[0].detail.shape == (6, 64, 64)


def test_a_step_depends_on_seed_and_step_only(folder: Path) -> None:
    first, again, other = (
        PairFolder(folder, TINY_LIGHT, PairBatches(size=4), seed) for seed in (0, 0, 1)
    )
    first.draw(0)
    np.testing.assert_array_equal(first.draw(5)[0].face, again.draw(5)[0].face)
    assert (first.draw(6)[0].face != again.draw(5)[0].face).any()
    assert (other.draw(5)[0].face != again.draw(5)[0].face).any()


def test_shards_that_appear_later_are_used(folder: Path) -> None:
    source = PairFolder(folder, TINY_LIGHT, PairBatches(), 0)
    assert source.counts() == {"render": 2, "photo": 2}
    tiny.write(folder / "shard-00007.npz", tiny.shard(2))
    assert source.counts() == {"render": 2, "photo": 2}
    assert source.refresh() == 6
    assert source.refresh() == 6


def test_photographs_are_drawn_as_often_as_asked(folder: Path) -> None:
    pairs = tiny.shard(20)
    pairs.kind[:] = 0
    pairs.kind[0] = 1
    pairs.a[0] = 255  # the one photograph is white
    tiny.write(folder / "shard-00000.npz", pairs)
    batches = PairBatches(size=100, own_share=0.0, photo_share=0.7, augment=NO_AUGMENT)
    source = PairFolder(folder, TINY_ORIGINAL, batches, 0)
    white = source.draw(0)[0].face.min(axis=(1, 2, 3)) == 255
    assert 0.55 < white.mean() < 0.85


def test_validation_is_unvaried_and_the_same_for_both_sides(folder: Path) -> None:
    source = PairFolder(folder, TINY_LIGHT, PairBatches(), 0)
    b, a = source.validation(4)
    assert (b.side, a.side, len(b.face)) == ("b", "a", 4)
    np.testing.assert_array_equal(a.face, b.face)
    np.testing.assert_array_equal(source.validation(4)[0].face, b.face)
    # The crop of A at twice the size, averaged, is what the network sees.
    averaged = a.target.reshape(4, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    assert np.abs(averaged - a.face).max() <= 1


def test_no_held_out_shard_means_no_validation(folder: Path) -> None:
    (folder / "holdout-00000.npz").unlink()
    assert PairFolder(folder, TINY_LIGHT, PairBatches(), 0).validation(4) == []


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(
    ("rare", "least", "most"),
    [
        pytest.param(4, 0.5, 0.7, id="enough of them: half, and a fifth of the other half"),
        pytest.param(1, 0.15, 0.4, id="one of 20: not more often than five times 1 / 20"),
        pytest.param(0, 0.0, 0.0, id="none"),
    ],
)
def test_rare_expressions_are_drawn_as_often_as_asked(  # noqa: PLR0917  # pytest's way
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind, rare: int, least: float, most: float
) -> None:
    pairs = tiny.shard(20)
    pairs.kind[:] = kind
    pairs.a[:rare] = 255  # those with shut eyes are white
    shut = {landmarks.tobytes() for landmarks in pairs.b_landmarks[:rare]}
    monkeypatch.setattr(pair_folder, "is_expressive", lambda points, _: points.tobytes() in shut)
    tiny.write(folder / "shard-00000.npz", pairs)
    batches = PairBatches(size=200, own_share=0.0, expressive_share=0.5, augment=NO_AUGMENT)
    source = PairFolder(folder, TINY_ORIGINAL, batches, 0)
    white = source.draw(0)[0].face.min(axis=(1, 2, 3)) == 255
    assert least <= white.mean() <= most


def test_a_damaged_shard_is_named(folder: Path) -> None:
    path = folder / "shard-00000.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(TrainingError, match=r"shard-00000\.npz is no shard of pairs"):
        PairFolder(folder, TINY_LIGHT, PairBatches(), 0)
    np.savez(path, a=np.zeros(1))
    with pytest.raises(TrainingError, match=r"shard-00000\.npz is no shard of pairs"):
        PairFolder(folder, TINY_LIGHT, PairBatches(), 0)
