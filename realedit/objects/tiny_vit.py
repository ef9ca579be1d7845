"""TinyViT (Wu et al., arXiv 2207.10666) as MobileSAM (Zhang et al., arXiv 2306.14289) has it: a picture of 1024 pixels
becomes features of 64 x 64 cells, which a Segment Anything Model's decoder reads.

Batch normalisation is part of the weights of the convolution before it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inversion.interruption import may_stop

STAGE_WIDTHS = 64, 128, 160, 320  # channels of the four stages
STAGE_DEPTHS = 2, 2, 6, 2  # blocks of each
STAGE_HEADS = 4, 5, 10  # of attention, from the second stage on
STAGE_WINDOWS = 7, 14, 7  # cells of a window's side within which is attended, likewise
STAGE_STRIDES = 2, 2, 1  # of the way from each stage to the next
EXPANSION = 4  # of channels within a block
FEATURE_WIDTH = 256  # channels of what the decoder reads


def _depthwise(width: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(width, width, 3, stride, padding=1, groups=width)


class ConvBlock(nn.Module):
    """An inverted residual block (MBConv) of the first stage."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(width, EXPANSION * width, 1)
        self.depthwise = _depthwise(EXPANSION * width)
        self.project = nn.Conv2d(EXPANSION * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x + self.project(F.gelu(self.depthwise(F.gelu(self.expand(x))))))


class WindowAttention(nn.Module):
    """Attention within square windows (n, side * side, width), with a learned bias for each distance of two cells."""

    offsets: Tensor

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.biases = nn.Parameter(torch.zeros(heads, side * side))
        cells = torch.cartesian_prod(torch.arange(side), torch.arange(side))
        down, across = (cells[:, None] - cells[None]).abs().unbind(-1)
        self.register_buffer("offsets", down * side + across, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        count, cells, width = x.shape
        q, k, v = self.qkv(self.norm(x)).view(count, cells, self.heads, -1).transpose(1, 2).chunk(3, dim=-1)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=self.biases[:, self.offsets])
        return self.project(attended.transpose(1, 2).reshape(count, cells, width))


class AttentionBlock(nn.Module):
    """Attention within windows, a convolution, and a network of each cell, each added to what it is given but for the
    convolution."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.attention = WindowAttention(width, heads, window)
        self.depthwise = _depthwise(width)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, EXPANSION * width)
        self.contract = nn.Linear(EXPANSION * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.depthwise(x + self._attended(x))
        cells = x.permute(0, 2, 3, 1)
        return x + self.contract(F.gelu(self.expand(self.norm(cells)))).permute(0, 3, 1, 2)

    def _attended(self, x: Tensor) -> Tensor:
        """Cells (n, c, h, w) as their windows see them; where a window goes on beyond the last cell, it sees zeros."""
        count, width, rows, columns = x.shape
        side = self.window
        x = F.pad(x, (0, -columns % side, 0, -rows % side))
        down, across = x.shape[2] // side, x.shape[3] // side
        windows = x.view(count, width, down, side, across, side).permute(0, 2, 4, 3, 5, 1)
        seen = self.attention(windows.reshape(-1, side * side, width)).view(count, down, across, side, side, width)
        return seen.permute(0, 5, 1, 3, 2, 4).reshape(x.shape)[:, :, :rows, :columns]


class Merging(nn.Module):
    """From one stage's channels to the next one's, on cells that are `stride` times as wide."""

    def __init__(self, width: int, next_width: int, stride: int) -> None:
        super().__init__()
        self.widen = nn.Conv2d(width, next_width, 1)
        self.depthwise = _depthwise(next_width, stride)
        self.project = nn.Conv2d(next_width, next_width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(F.gelu(self.depthwise(F.gelu(self.widen(x)))))


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of (n, c, h, w)."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class TinyViT(nn.Module):
    """Normalised pictures (n, 3, 16h, 16w) -> features (n, 256, h, w)."""

    def __init__(self) -> None:
        super().__init__()
        first = STAGE_WIDTHS[0]
        self.embed = nn.ModuleList(
            [nn.Conv2d(3, first // 2, 3, 2, padding=1), nn.Conv2d(first // 2, first, 3, 2, padding=1)]
        )
        stages = [nn.Sequential(*[ConvBlock(first) for _ in range(STAGE_DEPTHS[0])])]
        for width, depth, heads, window in zip(
            STAGE_WIDTHS[1:], STAGE_DEPTHS[1:], STAGE_HEADS, STAGE_WINDOWS, strict=True
        ):
            stages.append(nn.Sequential(*[AttentionBlock(width, heads, window) for _ in range(depth)]))
        self.stages = nn.ModuleList(stages)
        ways = zip(STAGE_WIDTHS[:-1], STAGE_WIDTHS[1:], STAGE_STRIDES, strict=True)
        self.mergings = nn.ModuleList(Merging(width, next_width, stride) for width, next_width, stride in ways)
        self.neck = nn.Sequential(
            nn.Conv2d(STAGE_WIDTHS[-1], FEATURE_WIDTH, 1, bias=False),
            ChannelNorm(FEATURE_WIDTH),
            nn.Conv2d(FEATURE_WIDTH, FEATURE_WIDTH, 3, padding=1, bias=False),
            ChannelNorm(FEATURE_WIDTH),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.embed[1](F.gelu(self.embed[0](pictures)))
        for k, stage in enumerate(self.stages):
            may_stop()
            x = stage(x if k == 0 else self.mergings[k - 1](x))
        return self.neck(x)
