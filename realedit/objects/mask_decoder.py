"""The decoder of the Segment Anything Model (Kirillov et al., arXiv 2304.02643): from features of a picture and points
or a box to masks, each with how well it is expected to fit."""

from math import pi

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realedit.objects.tiny_vit import FEATURE_WIDTH, ChannelNorm

HEADS, HIDDEN = 8, 2048  # of attention; of the network between
MASKS = 4  # the first for marks that leave no doubt, the others for a part, a thing, and what holds it
MASK_WIDTH = 32  # channels that masks are told by
OUTSIDE, INSIDE, TOP_LEFT, BOTTOM_RIGHT = range(4)
"""What a mark is: a point beside the object or on it, or a corner of its box."""


class FourierPlaces(nn.Module):
    """Places (..., 2), as fractions of the square, by sines and cosines of random frequencies (..., 256)."""

    frequencies: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.zeros(2, FEATURE_WIDTH // 2))

    def forward(self, places: Tensor) -> Tensor:
        phases = 2 * pi * (2 * places - 1) @ self.frequencies
        return torch.cat((phases.sin(), phases.cos()), -1)

    def of_cells(self, rows: int, columns: int) -> Tensor:
        """Those of the middles of cells (1, rows * columns, 256)."""
        x, y = torch.meshgrid(torch.arange(columns), torch.arange(rows), indexing="xy")
        middles = torch.stack(((x + 0.5) / columns, (y + 0.5) / rows), -1)
        return self(middles.to(self.frequencies)).view(1, rows * columns, -1)


class Attention(nn.Module):
    """Attention of queries (n, q, 256) to keys (n, k, 256), within `width` channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(FEATURE_WIDTH, width) for _ in range(3))
        self.project = nn.Linear(width, FEATURE_WIDTH)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        heads = [x.unflatten(-1, (HEADS, -1)).transpose(1, 2) for x in (self.q(q), self.k(k), self.v(v))]
        return self.project(F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2))


class TwoWayBlock(nn.Module):
    """Tokens attend to each other and to the cells, and the cells to the tokens. `first`: tokens are nothing but their
    places yet, and are replaced."""

    def __init__(self, *, first: bool) -> None:
        super().__init__()
        self.first = first
        self.among_tokens = Attention(FEATURE_WIDTH)
        self.to_cells, self.to_tokens = Attention(FEATURE_WIDTH // 2), Attention(FEATURE_WIDTH // 2)
        self.norms = nn.ModuleList(nn.LayerNorm(FEATURE_WIDTH) for _ in range(4))
        self.expand, self.contract = nn.Linear(FEATURE_WIDTH, HIDDEN), nn.Linear(HIDDEN, FEATURE_WIDTH)

    def forward(
        self, tokens: Tensor, cells: Tensor, token_places: Tensor, cell_places: Tensor
    ) -> tuple[Tensor, Tensor]:
        placed = tokens if self.first else tokens + token_places
        attended = self.among_tokens(placed, placed, tokens)
        tokens = self.norms[0](attended if self.first else tokens + attended)
        tokens = self.norms[1](tokens + self.to_cells(tokens + token_places, cells + cell_places, cells))
        tokens = self.norms[2](tokens + self.contract(F.relu(self.expand(tokens))))
        cells = self.norms[3](cells + self.to_tokens(cells + cell_places, tokens + token_places, tokens))
        return tokens, cells


class Perceptron(nn.Module):
    """A network of three layers, 256 channels wide."""

    def __init__(self, out_width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(FEATURE_WIDTH, width) for width in (FEATURE_WIDTH,) * 2 + (out_width,))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers[2](F.relu(self.layers[1](F.relu(self.layers[0](x)))))


class MaskDecoder(nn.Module):
    """Features (1, 256, h, w) of a square picture and marks, as `places` (m, 2), fractions of the square, and `kinds`
    (m,) -> four masks (4, 4h, 4w), above 0 where the object is, and the overlap (IoU) that each is expected to have."""

    def __init__(self) -> None:
        super().__init__()
        self.fourier = FourierPlaces()
        self.kinds = nn.Embedding(4, FEATURE_WIDTH)
        self.no_mark = nn.Parameter(torch.zeros(FEATURE_WIDTH))
        self.no_mask = nn.Parameter(torch.zeros(FEATURE_WIDTH))
        self.tokens = nn.Parameter(torch.zeros(1 + MASKS, FEATURE_WIDTH))
        self.blocks = nn.ModuleList(TwoWayBlock(first=k == 0) for k in range(2))
        self.to_cells, self.norm = Attention(FEATURE_WIDTH // 2), nn.LayerNorm(FEATURE_WIDTH)
        self.upscaling = nn.Sequential(
            nn.ConvTranspose2d(FEATURE_WIDTH, FEATURE_WIDTH // 4, 2, 2),
            ChannelNorm(FEATURE_WIDTH // 4),
            nn.GELU(),
            nn.ConvTranspose2d(FEATURE_WIDTH // 4, MASK_WIDTH, 2, 2),
            nn.GELU(),
        )
        self.of_masks = nn.ModuleList(Perceptron(MASK_WIDTH) for _ in range(MASKS))
        self.overlap = Perceptron(MASKS)

    def forward(self, features: Tensor, places: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
        rows, columns = features.shape[-2:]
        marks = self.fourier(places) + self.kinds(kinds)
        if not (kinds == TOP_LEFT).any():  # as it was trained: a box takes the place of this
            marks = torch.cat((marks, self.no_mark[None]))
        token_places = torch.cat((self.tokens, marks))[None]
        cell_places = self.fourier.of_cells(rows, columns)
        tokens, cells = token_places, features.flatten(2).transpose(1, 2) + self.no_mask
        for block in self.blocks:
            tokens, cells = block(tokens, cells, token_places, cell_places)
        tokens = self.norm(tokens + self.to_cells(tokens + token_places, cells + cell_places, cells))[0]
        fine = self.upscaling(cells.transpose(1, 2).view_as(features))[0]
        weights = torch.stack([network(tokens[1 + k]) for k, network in enumerate(self.of_masks)])
        return torch.einsum("mc,chw->mhw", weights, fine), self.overlap(tokens[0])
