"""The generator of MI-GAN (Sargsyan et al. 2023, "MI-GAN: A Simple Baseline for Image Inpainting on Mobile Devices",
ICCV): a U-Net of separable convolutions that draws a square picture with a hole whole, in one pass.

Names of modules are those of the published weights.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inversion.interruption import may_stop

MIGAN_SIDE = 512  # pixels of the square
WIDTHS = {512: 64, 256: 128, 128: 256, 64: 512, 32: 512, 16: 512, 8: 512, 4: 512}  # channels of the blocks, by side
NEGATIVE_SLOPE, GAIN, LARGEST_ACTIVATION = 0.2, 2**0.5, 256.0  # as in StyleGAN2
BINOMIAL = 1.0, 3.0, 3.0, 1.0  # of the low-pass filters around each change of size


def _activated(x: Tensor) -> Tensor:
    """In place: at full size half of the time would go into new memory."""
    return F.leaky_relu(x, NEGATIVE_SLOPE, inplace=True).mul_(GAIN).clamp_(-LARGEST_ACTIVATION, LARGEST_ACTIVATION)


def _low_pass(channels: int, gain: float) -> Tensor:
    """One filter (channels, 1, 4, 4) for each channel, whose weights add up to `gain`."""
    line = torch.tensor(BINOMIAL)
    plane = torch.outer(line, line)
    return (plane * gain / plane.sum()).expand(channels, 1, 4, 4)


def halved(x: Tensor) -> Tensor:
    """Pictures (n, c, 2h, 2w) at half their size."""
    channels = x.shape[1]
    return F.conv2d(x, _low_pass(channels, 1.0).to(x), stride=2, padding=1, groups=channels)


def doubled(x: Tensor) -> Tensor:
    """Pictures (n, c, h, w) at twice their size."""
    channels = x.shape[1]
    return F.conv_transpose2d(x, _low_pass(channels, 4.0).to(x), stride=2, padding=1, groups=channels)


class SeparableConv(nn.Module):
    """A convolution of each channel by itself, then one of all channels at each pixel; at another size in between where
    it is asked for. `noise_side`: that of the constant noise (side, side) that is added, if there is any."""

    noise: Tensor | None

    def __init__(self, channels: int, out_channels: int, noise_side: int | None = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.conv2 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.register_buffer("noise", None if noise_side is None else torch.zeros(noise_side, noise_side))

    def forward(self, x: Tensor, *, down: bool = False, up: bool = False) -> Tensor:
        x = _activated(self.conv1(x))
        x = self.conv2(halved(x) if down else x)
        if up:
            x = doubled(x)
        return _activated(x if self.noise is None else x + self.noise)


class EncoderBlock(nn.Module):
    """Features at one `side`, and those of the next, half as large."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.last = side == min(WIDTHS)
        width = WIDTHS[side]
        self.fromrgb = nn.Conv2d(4, width, 1) if side == MIGAN_SIDE else None
        self.conv1 = SeparableConv(width, width)
        self.conv2 = SeparableConv(width, width if self.last else WIDTHS[side // 2])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.conv1(x if self.fromrgb is None else _activated(self.fromrgb(x)))
        return features, self.conv2(features, down=not self.last)


class SynthesisBlock(nn.Module):
    """Features at one `side` from those at half of it and the encoder's own at this one; and what they add to the
    picture."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.first = side == min(WIDTHS)
        width, noise_side = WIDTHS[side], None if self.first else side
        self.conv1 = SeparableConv(width if self.first else WIDTHS[side // 2], width, noise_side)
        self.conv2 = SeparableConv(width, width, noise_side)
        self.torgb = nn.Conv2d(width, 3, 1)

    def forward(self, x: Tensor, skipped: Tensor) -> tuple[Tensor, Tensor]:
        features = self.conv2(self.conv1(x, up=not self.first) + skipped)
        return features, self.torgb(features)


class MiganGenerator(nn.Module):
    """Pictures (n, 3, 512, 512) in [-1, 1] and what is known of them (n, 1, 512, 512), 1 or 0 -> whole pictures
    (n, 3, 512, 512), about in [-1, 1], of which only what was not known is as it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({f"b{side}": EncoderBlock(side) for side in WIDTHS})
        self.synthesis = nn.ModuleDict({f"b{side}": SynthesisBlock(side) for side in reversed(WIDTHS)})

    def forward(self, pictures: Tensor, known: Tensor) -> Tensor:
        x = torch.cat((known - 0.5, pictures * known), 1)
        features = {}
        for name, block in self.encoder.items():
            may_stop()
            features[name], x = block(x)
        drawn = None
        for name, block in self.synthesis.items():
            may_stop()
            x, colours = block(x, features[name])
            drawn = colours if drawn is None else doubled(drawn) + colours
        assert drawn is not None
        return drawn
