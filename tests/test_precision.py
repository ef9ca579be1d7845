"""The U-Net in half precision: weights as they are asked for, and gradients that do not vanish."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from inversion.loading import load_model
from realedit.sampling.prediction import LOSS_SCALES, scaled_gradient
from tests.test_loading import same


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", ["epsilon", "xl"])
def test_weights_are_read_in_the_type_that_is_asked_for(folders, kind, dtype, monkeypatch):
    """To the same numbers as if they were read in float32 and then rounded; and never held in float32, which takes
    twice the memory."""
    rounded = load_model(str(folders[kind]), device="cpu")
    rounded.unet.to(getattr(torch, dtype))

    convert = type(rounded.unet).to

    def unconverted(network, *args, **how):
        assert not any(isinstance(each, torch.dtype) for each in (*args, *how.values()))
        return convert(network, *args, **how)

    monkeypatch.setattr(type(rounded.unet), "to", unconverted)
    assert same(load_model(str(folders[kind]), device="cpu", dtype=dtype), rounded)


class Half(nn.Module):
    """A layer in a type, from float32 to float32."""

    def __init__(self, dtype: torch.dtype, weight: float):
        super().__init__()
        self.layer = nn.Linear(6, 6, bias=False, dtype=dtype)
        nn.init.constant_(self.layer.weight, weight)
        self.layer.requires_grad_(False)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.layer(self.layer(z.to(self.layer.weight.dtype))).float()


@pytest.mark.parametrize("size", [1.0, 1e-4, 1e-6, 1e-8])
def test_a_small_gradient_survives_half_precision(size):
    z = torch.randn(3, 6, generator=torch.Generator().manual_seed(0)).requires_grad_()
    aim = torch.randn(3, 6, generator=torch.Generator().manual_seed(1))

    def gradient(dtype: torch.dtype, through: torch.dtype) -> torch.Tensor:
        value = size * (Half(dtype, 0.3)(z) * aim).mean()
        return scaled_gradient(value, z, through).flatten() / size

    true = gradient(torch.float32, torch.float32)
    assert F.cosine_similarity(gradient(torch.float16, torch.float16), true, dim=0) > 0.999
    assert gradient(torch.float16, torch.float16).norm() == pytest.approx(true.norm().item(), rel=0.01)
    if size < 1e-6:
        assert not gradient(torch.float16, torch.float32).any()  # as it is without a scale


def test_a_large_gradient_does_not_overflow():
    """The scale falls until all is finite: times 2^8, 14400 is beyond float16's range already."""
    z = torch.ones(1, 6, requires_grad=True)
    found = scaled_gradient(Half(torch.float16, 20.0)(z).sum(), z, torch.float16)
    assert found.flatten().tolist() == pytest.approx([14400.0] * 6, rel=1e-3)
    assert LOSS_SCALES[torch.float16][-1] == 1


def test_other_types_need_no_scale():
    z = torch.ones(1, 6, requires_grad=True)
    value = Half(torch.bfloat16, 0.5)(z).sum()
    expected = torch.autograd.grad(value, z, retain_graph=True)[0]
    assert torch.equal(scaled_gradient(value, z, torch.bfloat16), expected)
