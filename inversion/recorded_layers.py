"""Which layers of a U-Net are recorded: those that say where things are, how they look, and what belongs together."""

from collections.abc import Sequence
from typing import Any

from inversion.taps import Sites

MOST_GROUPED = 32  # cells on a side in which places are told to belong together


def recorded_sites(unet: Any) -> Sites:
    """One cross-attention layer of every transformer coarser than the latent, and the penultimate features of the
    decoder (the paper's appearance activations).

    Of transformers with many layers (SDXL: ten) it is the one at a third, as in the paper; recording all of them would
    take ten times the memory for the same information.
    """
    transformers: dict[str, list[str]] = {}
    for name, _ in unet.named_modules():
        if name.endswith(".attn2") and halvings(unet, name) >= 1:
            transformers.setdefault(name.split(".transformer_blocks.")[0], []).append(name)
    attention = [layers[len(layers) // 3] for layers in transformers.values()]
    blocks = unet.up_blocks
    feature = f"up_blocks.{len(blocks) - 1}.resnets.{len(blocks[-1].resnets) - 2}"
    return Sites(tuple(attention), (feature,))


def grouping_layers(unet: Any, recorded: Sequence[str], side: int) -> tuple[str, ...]:
    """The self-attention layers that tell which places belong together: beside the cross-attention that is `recorded`,
    the finest that have at most 32 cells on a side of a native latent, which has `side` cells. (Finer ones would take
    gigabytes.)"""
    levels = {name: halvings(unet, name) for name in recorded}
    coarse = [level for level in levels.values() if side >> level <= MOST_GROUPED]
    finest = min(coarse, default=max(levels.values()))
    return tuple(name.removesuffix("attn2") + "attn1" for name, level in levels.items() if level == finest)


def halvings(unet: Any, name: str) -> int:
    """How many times a module of a U-Net sees the latent halved."""
    levels = len(unet.config.block_out_channels)
    kind, _, rest = name.partition(".")
    number = int(rest.split(".")[0]) if kind in ("down_blocks", "up_blocks") else 0
    return {"down_blocks": number, "up_blocks": levels - 1 - number}.get(kind, levels - 1)
