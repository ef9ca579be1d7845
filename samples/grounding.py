"""Teach words where their objects are: a loss on cross-attention, since the renderer knows every mask.

After TokenCompose (arXiv 2312.03626): at each cross-attention layer every word of an object keeps its
attention inside the object (token term), and the words together cover it (pixel term). Words whose
attention lies elsewhere make self-guidance meaningless, and captions alone do not teach it.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def grounding_loss(attention: list[Tensor], words: Tensor, masks: Tensor, weight: Tensor) -> Tensor:
    """Mean over layers of both terms; 0 where every word sits exactly on its object.

    `attention`: per layer (B, tokens, h, w); `words` (B, K, tokens) bool, all False for absent
    objects; `masks` (B, K, H, W) in [0, 1]; `weight` (B,) one factor for each row of the batch.
    """
    there = words.any(-1).float() * weight[:, None]  # (B, K)
    per_word = words.float() * weight[:, None, None]
    losses = []
    for maps in attention:
        target = F.interpolate(masks, size=maps.shape[-2:], mode="area")  # (B, K, h, w)
        inside = torch.einsum("bthw,bkhw->bkt", maps, target) / maps.sum((2, 3))[:, None].clamp(min=1e-6)
        token = (per_word * (1 - inside).square()).sum() / per_word.sum().clamp(min=1e-6)
        together = torch.einsum("bthw,bkt->bkhw", maps, words.float()).clamp(1e-4, 1 - 1e-4)
        pixel = F.binary_cross_entropy(together, target, reduction="none").mean((2, 3))
        pixel = (there * pixel).sum() / there.sum().clamp(min=1e-6)
        losses.append(token + 0.5 * pixel)
    return torch.stack(losses).mean()
