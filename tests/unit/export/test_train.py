from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from export import checkpoint
from export.compute import Compute
from export.errors import CheckpointError, TrainingError
from export.journal import read_log
from export.losses import SHARP, LossWeights
from export.pair_folder import PairBatches, PairFolder
from export.pretrained import Pretrained
from export.samples import Batch
from export.schedule import CLASSIC_2017, Progress, Rhythm, Schedule
from export.stopping import Stopping
from export.train import Trainer
from tests.unit.export import tiny
from tests.unit.export.tiny_networks import TINY_LIGHT, TINY_ORIGINAL

QUIET = Rhythm(checkpoint_s=1e9, validation_s=1e9, refresh_s=1e9, preview=False)


@pytest.fixture
def source(tmp_path: Path) -> PairFolder:
    tiny.write(tmp_path / "shard-00000.npz", tiny.shard(8))
    tiny.write(tmp_path / "holdout-00000.npz", tiny.shard(4, seed=9))
    return PairFolder(tmp_path, TINY_LIGHT, PairBatches(size=6), 0)


@pytest.fixture(autouse=True)
def known_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PLANS", {"light": TINY_LIGHT})


def trainer(folder: Path, steps: int, **changes: Any) -> Trainer:
    settings: dict[str, Any] = {
        "mode": "paired",
        "schedule": Schedule(steps=steps, warmup_steps=5, learning_rate=3e-3, final_rate=1.0),
        "rhythm": QUIET,
        "weights": LossWeights(),
    }
    return Trainer(TINY_LIGHT, folder, **{**settings, **changes})


def weights_of(one: Trainer) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in one.network.parameters()])


def test_some_seconds_improve_the_loss(tmp_path: Path, source: PairFolder) -> None:
    one = trainer(tmp_path / "out", 24)
    before = one.validate(source.validation(4))
    reports: list[Progress] = []
    one.run(source, reports.append)
    assert one.validation["val_l1_b"] < 0.8 * before["val_l1_b"]
    assert one.validation["val_l1_a"] < 0.8 * before["val_l1_a"]
    assert [report.step for report in reports] == list(range(1, 25))
    assert reports[-1].losses["total"] < reports[0].losses["total"]


@pytest.mark.parametrize("weights", [LossWeights(), SHARP], ids=["alone", "with critic"])
@pytest.mark.parametrize("mode", ["paired", "classic"])
def test_a_resumed_training_gives_the_same_curve(
    tmp_path: Path, source: PairFolder, mode: str, weights: LossWeights
) -> None:
    """Bit for bit, with the rate going down along its cosine, on one thread."""
    always = Rhythm(checkpoint_s=1e9, validation_s=0.0, refresh_s=1e9, preview=False)
    settings = {
        "mode": mode,
        "weights": weights,
        "rhythm": always,
        "schedule": Schedule(steps=6, warmup_steps=2, learning_rate=3e-3),
    }
    curves: dict[str, list[dict[str, float]]] = {"straight": [], "halves": []}
    straight = trainer(tmp_path / "straight", 6, **settings)
    straight.run(source, lambda progress: curves["straight"].append(progress.losses))
    first = trainer(tmp_path / "halves", 6, **settings)

    def until_third(progress: Progress) -> None:
        curves["halves"].append(progress.losses)
        if progress.step == 3:
            first.interrupt()

    assert first.run(source, until_third) == "interrupted"
    second = trainer(tmp_path / "halves", 6, seed=5, **settings)
    second.resume(tmp_path / "halves")
    assert second.step == 3
    second.run(source, lambda progress: curves["halves"].append(progress.losses))
    assert torch.equal(weights_of(second), weights_of(straight))
    assert curves["halves"] == curves["straight"]
    assert second.validation == straight.validation
    assert second.images == straight.images == 36
    straight_log, halves_log = (
        [
            (row.step, row.images, row.name, row.value)
            for row in read_log(tmp_path / name / "log.csv")
        ]
        for name in ("straight", "halves")
    )
    assert halves_log == straight_log
    assert (
        checkpoint.load_best(tmp_path / "halves").state["step"]
        == (checkpoint.load_best(tmp_path / "straight").state["step"])
    )


def test_threads_compute_the_same_gradient(tmp_path: Path, source: PairFolder) -> None:
    """Up to rounding in bfloat16: one step moves all weights alike."""
    one, two = trainer(tmp_path / "1", 1), trainer(tmp_path / "2", 1, compute=Compute(threads=2))
    before = weights_of(one)
    one.run(source, lambda _: None)
    two.run(source, lambda _: None)
    gradients = [
        torch.cat([parameter.grad.flatten() for parameter in each.network.parameters()])
        for each in (one, two)
    ]
    assert float(torch.cosine_similarity(*gradients, dim=0)) > 0.995
    assert not torch.equal(before, weights_of(two))


class Poisoned:
    """A source whose third step holds something that is not a number."""

    def __init__(self, source: PairFolder, one: Trainer) -> None:
        self.source, self.one = source, one

    def draw(self, step: int) -> list[Batch]:
        return self.source.draw(step)

    def refresh(self) -> int:
        if self.one.step == 3:
            with torch.no_grad():
                self.one.network.encoder.squeeze.weight[0, 0] = float("nan")
        return 0

    def counts(self) -> dict[str, int]:
        return self.source.counts()

    def validation(self, count: int) -> list[Batch]:
        return self.source.validation(count)


def test_not_a_number_ends_the_training_and_keeps_the_checkpoint(
    tmp_path: Path, source: PairFolder
) -> None:
    often = Rhythm(checkpoint_s=0.0, validation_s=1e9, refresh_s=0.0, preview=False)
    one = trainer(tmp_path / "out", 10, rhythm=often)
    one.save = saving_until(one, 2)  # type: ignore[method-assign]
    with pytest.raises(TrainingError, match="step 3: the gradient's norm is nan"):
        one.run(Poisoned(source, one), lambda _: None)
    saved = checkpoint.load(tmp_path / "out")
    assert saved.state["step"] == 2
    assert all(torch.isfinite(tensor).all() for tensor in saved.tensors.values())


def saving_until(one: Trainer, last: int) -> Any:
    save = one.save
    return lambda data: save(data) if one.step <= last else None


def test_interrupting_saves_and_returns(tmp_path: Path, source: PairFolder) -> None:
    one = trainer(tmp_path / "out", 100)

    def interrupt(progress: Progress) -> None:
        if progress.step == 2:
            one.interrupt()

    assert one.run(source, interrupt) == "interrupted"
    assert checkpoint.load(tmp_path / "out").state["step"] == 2


def test_who_interrupts_before_the_first_step_is_heard_and_may_insist(
    tmp_path: Path, source: PairFolder
) -> None:
    one = trainer(tmp_path / "out", 100)
    one.interrupt()
    assert one.run(source, lambda _: None) == "interrupted"
    assert checkpoint.load(tmp_path / "out").state["step"] == 0
    with pytest.raises(KeyboardInterrupt):
        one.interrupt()


def test_a_checkpoint_whose_tensors_do_not_fit_is_not_resumed(
    tmp_path: Path, source: PairFolder
) -> None:
    """The network of another version of this program, under the same name."""
    wider = dataclasses.replace(TINY_LIGHT, code=20)
    Trainer(wider, tmp_path, mode="paired", schedule=Schedule(steps=1)).save(source.counts())
    with pytest.raises(CheckpointError, match="does not fit network light"):
        trainer(tmp_path, 1).resume(tmp_path)


def test_another_network_or_mode_is_not_resumed(tmp_path: Path, source: PairFolder) -> None:
    one = trainer(tmp_path, 1)
    one.save(source.counts())
    with pytest.raises(CheckpointError, match="mode 'paired', expected 'classic'"):
        trainer(tmp_path, 1, mode="classic").resume(tmp_path)
    original = Trainer(TINY_ORIGINAL, tmp_path, mode="paired", schedule=Schedule(steps=1))
    with pytest.raises(CheckpointError, match="network 'light', expected 'original'"):
        original.resume(tmp_path)


def test_log_preview_and_smoothed_weights_are_written(tmp_path: Path, source: PairFolder) -> None:
    always = Rhythm(checkpoint_s=0.0, validation_s=0.0, refresh_s=0.0)
    trainer(tmp_path / "out", 2, rhythm=always).run(source, lambda _: None)
    with (tmp_path / "out" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["name"] for row in rows} >= {"l1", "dssim", "mask", "val_l1_b", "val_ssim_a"}
    assert {row["step"] for row in rows} == {"1", "2"}
    for picture in ("preview.png", "loss.png"):
        assert (tmp_path / "out" / picture).read_bytes().startswith(b"\x89PNG")
    saved = checkpoint.load(tmp_path / "out")
    smoothed = checkpoint.load_network(saved).encoder.squeeze.weight
    assert not torch.equal(smoothed, saved.part("network")["encoder.squeeze.weight"])


def test_classic_mode_keeps_separate_moments_of_the_encoder(
    tmp_path: Path, source: PairFolder
) -> None:
    one = Trainer(TINY_LIGHT, tmp_path, mode="classic", schedule=CLASSIC_2017)
    decoders = {side: list(one.network.decoders[side].parameters()) for side in ("a", "b")}
    before = weights_of(one)
    one.train_step(source.draw(0), 1e-3)
    assert not torch.equal(before, weights_of(one))
    for optimizer, side, other in zip(one.optimizers, "ab", "ba", strict=True):
        moments = {id(parameter) for parameter in optimizer.state}
        assert moments >= {id(parameter) for parameter in one.network.encoder.parameters()}
        assert moments >= {id(parameter) for parameter in decoders[side]}
        assert not moments & {id(parameter) for parameter in decoders[other]}


def test_without_weights_the_loss_is_plain_l1(tmp_path: Path, source: PairFolder) -> None:
    one = trainer(tmp_path, 1, weights=None)
    batch = source.draw(0)[0]
    with torch.no_grad():
        faces = torch.from_numpy(batch.face[..., ::-1].copy()).permute(0, 3, 1, 2).float() / 255
        drawn = one.network(faces, "b")[:, :3].permute(0, 2, 3, 1).flip(3).numpy() * 255
    expected = np.abs(drawn - batch.target).mean() / 255
    terms = one.train_step([batch, source.draw(0)[1]][:1], 0.0)
    assert terms == {"total": pytest.approx(expected, rel=0.01)}


def test_a_full_disk_is_one_line_and_keeps_the_previous_checkpoint(
    tmp_path: Path, source: PairFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    often = Rhythm(checkpoint_s=0.0, validation_s=1e9, refresh_s=1e9, preview=False)
    one = trainer(tmp_path / "out", 4, rhythm=often)
    write = checkpoint.save_file

    def full_later(*arguments: Any, **options: Any) -> None:
        if one.step == 3:
            raise OSError(28, "No space left on device")
        write(*arguments, **options)

    monkeypatch.setattr(checkpoint, "save_file", full_later)
    with pytest.raises(CheckpointError, match=r"No space left .* the previous one is kept"):
        one.run(source, lambda _: None)
    assert checkpoint.load(tmp_path / "out").state["step"] == 2


class Scripted(Stopping):
    """Replaces what was measured by the similarities that it was given."""

    def __init__(self, similarities: list[float], **limits: Any) -> None:
        super().__init__(**limits)
        self.similarities = similarities

    def see(self, validation: Any) -> bool:
        return super().see(
            {**validation, "val_ssim_a": 0.0, "val_ssim_b": self.similarities.pop(0)}
        )


def test_the_best_weights_are_kept_and_patience_ends_the_training(
    tmp_path: Path, source: PairFolder
) -> None:
    always = Rhythm(checkpoint_s=1e9, validation_s=0.0, refresh_s=1e9, preview=False)
    stopping = Scripted([0.6, 1.0, 0.8, 0.9], patience=2)
    one = trainer(tmp_path, 100, rhythm=always, stopping=stopping)
    seen: dict[int, torch.Tensor] = {}

    def remember(progress: Progress) -> None:
        seen[progress.step] = one.average.encoder.squeeze.weight.clone()

    assert one.run(source, remember) == "no better than SSIM 0.5000 in 2 validations"
    best, last = checkpoint.load_best(tmp_path), checkpoint.load(tmp_path)
    assert (best.state["step"], last.state["step"]) == (2, 4)
    assert torch.equal(checkpoint.load_network(best).encoder.squeeze.weight, seen[2])
    again = trainer(tmp_path, 100, rhythm=always, stopping=Stopping(patience=3))
    again.resume(tmp_path)
    assert (again.stopping.best, again.stopping.stale) == (0.5, 2)


def test_stopping_needs_held_out_faces(tmp_path: Path) -> None:
    tiny.write(tmp_path / "shard-00000.npz", tiny.shard(2))
    source = PairFolder(tmp_path, TINY_LIGHT, PairBatches(size=4), 0)
    with pytest.raises(TrainingError, match="needs held-out faces"):
        trainer(tmp_path / "out", 1, stopping=Stopping(until_ssim=0.9)).run(source, lambda _: None)


@pytest.mark.parametrize("mode", ["paired", "classic"])
def test_a_frozen_encoder_stays_what_it_was(tmp_path: Path, source: PairFolder, mode: str) -> None:
    before = Trainer(TINY_LIGHT, tmp_path, mode="paired", schedule=Schedule(steps=1), seed=7)
    state = {name: tensor.clone() for name, tensor in before.network.state_dict().items()}

    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {
            name.removeprefix(prefix): tensor
            for name, tensor in state.items()
            if name.startswith(prefix)
        }

    trained = Pretrained(TINY_LIGHT, "test", part("encoder."), {"b": part("decoders.b.")})
    schedule = Schedule(steps=2, encoder=0.0)
    one = trainer(tmp_path / "out", 2, mode=mode, schedule=schedule)
    one.start_from(trained)
    one.run(source, lambda _: None)
    for name, tensor in one.network.encoder.state_dict().items():
        assert torch.equal(tensor, state[f"encoder.{name}"])
    for side in ("a", "b"):
        head = one.network.decoders[side].head.weight
        assert not torch.equal(head, state["decoders.b.head.weight"])
    with pytest.raises(CheckpointError, match="encoder 'frozen', expected 'trained'"):
        trainer(tmp_path / "out", 3, mode=mode).resume(tmp_path / "out")
    resumed = trainer(tmp_path / "out", 3, mode=mode, schedule=schedule)
    resumed.resume(tmp_path / "out")
    assert torch.equal(weights_of(resumed), weights_of(one))
