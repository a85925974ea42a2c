from __future__ import annotations

import torch

from export.adversary import Adversary, Judged, SpectralConv


def _faces(seed: int, sharp: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.5 + sharp * (torch.rand(4, 3, 64, 64, generator=generator) - 0.5)


def test_the_critic_learns_to_tell_soft_faces_from_sharp_ones() -> None:
    torch.manual_seed(0)
    adversary = Adversary(torch.device("cpu"), learning_rate=4e-3)
    region = torch.ones(4, 1, 64, 64)
    losses = []
    for seed in range(30):
        drawn, target = _faces(seed + 100, sharp=0.2), _faces(seed, sharp=1.0)
        judged = Judged(drawn, target, region, taught=region)
        loss = adversary.review(judged)["critic"]
        for parameter, gradient in zip(
            adversary.parameters, torch.autograd.grad(loss, adversary.parameters), strict=True
        ):
            parameter.grad = gradient
        adversary.step()
        losses.append(float(loss.detach()))

    assert losses[-1] < 0.5 * losses[0]


def test_what_lies_off_the_face_is_hidden_from_the_critic() -> None:
    adversary = Adversary(torch.device("cpu"))
    region = torch.zeros(4, 1, 64, 64)
    region[:, :, :, :32] = 1
    target, drawn = _faces(1, 1.0), _faces(2, 1.0).requires_grad_()

    judged = Judged(drawn, target, region, taught=torch.ones_like(region))
    texture = adversary.review(judged)["texture"]
    (gradient,) = torch.autograd.grad(texture, drawn)

    assert gradient[..., :32].abs().sum() > 0
    assert gradient[..., 32:].abs().sum() == 0


def test_a_decoder_learns_from_the_critic_only_where_it_is_to() -> None:
    adversary = Adversary(torch.device("cpu"))
    region, taught = torch.ones(4, 1, 64, 64), torch.zeros(4, 1, 64, 64)
    taught[..., :32, :] = 1
    target, drawn = _faces(1, 1.0), _faces(2, 1.0).requires_grad_()

    judged = Judged(drawn, target, region, taught)
    everywhere = judged._replace(taught=region)
    terms = adversary.review(judged)
    (gradient,) = torch.autograd.grad(terms["texture"], drawn)

    assert gradient[..., :32, :].abs().sum() > 0
    assert gradient[..., 32:, :].abs().sum() == 0
    assert torch.allclose(terms["critic"], adversary.review(everywhere)["critic"])


def test_a_perfect_picture_has_the_features_of_its_target() -> None:
    adversary = Adversary(torch.device("cpu"))
    target, whole = _faces(1, 1.0), torch.ones(4, 1, 64, 64)

    terms = adversary.review(Judged(target.clone(), target, whole, whole))

    assert float(terms["features"].detach()) == 0.0


def test_weights_have_norm_one_after_a_step() -> None:
    torch.manual_seed(0)
    layer = SpectralConv(8, 16, 4, 2)
    with torch.no_grad():
        layer.weight.mul_(3.0).add_(torch.randn_like(layer.weight))
    layer.refresh(rounds=50)

    norm = layer.left @ (layer.weight.flatten(1) @ layer.right)
    exact = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)

    assert abs(float((norm / exact).detach()) - 1) < 1e-3
