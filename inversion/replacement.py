"""Replace what modules inside the U-Net give out during a forward pass, by forward hooks alone."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

Replacement = Callable[[Tensor], Tensor]
"""The output of a module, (1, ...), of the prompted row to what it shall be, of the same shape."""


@contextmanager
def replaced(unet: nn.Module, replacements: Mapping[str, Replacement]) -> Iterator[None]:
    """Inside the block the outputs of the modules of these names go through their functions, in the last row of every
    pass, which is the prompted one.

    Raises:
        AttributeError: the network has no module of such a name.
    """
    with ExitStack() as hooks:
        for name, replacement in replacements.items():
            hooks.callback(unet.get_submodule(name).register_forward_hook(_hook(replacement)).remove)
        yield


def _hook(replacement: Replacement) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    def hook(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        return torch.cat((output[:-1], replacement(output[-1:])))

    return hook


def as_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """A sequence (1, h w, C) over the cells of a latent of this `size` (height, width), or of a coarser grid of the
    same proportions, as a map (1, C, h, w)."""
    coarser = (size[0] * size[1] / tokens.shape[1]) ** 0.5
    return tokens.transpose(1, 2).unflatten(-1, (round(size[0] / coarser), round(size[1] / coarser)))


def as_tokens(maps: Tensor) -> Tensor:
    """A map (1, C, h, w) as a sequence (1, h w, C)."""
    return maps.flatten(2).transpose(1, 2)
