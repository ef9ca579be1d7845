"""Replace what modules inside the U-Net give out during a forward pass, by forward hooks alone."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from inversion.taps import attention_probabilities, projections_of


class Replacement(Protocol):
    """What shall become of what a module gives out. `every_row`: of every row of a pass; else of the last row alone,
    which is the prompted one."""

    @property
    def every_row(self) -> bool: ...

    def on(self, module: nn.Module) -> Any:
        """A context, inside of which the module gives out what it shall."""
        ...


@dataclass(frozen=True)
class OutputReplacement:
    """The output (1 or rows, ...) of a module to what it shall be, of the same shape or one that is broadcast to it."""

    change: Callable[[Tensor], Tensor]
    every_row: bool = False

    @contextmanager
    def on(self, module: nn.Module) -> Iterator[None]:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
            if self.every_row:
                return self.change(output).expand_as(output)
            return torch.cat((output[:-1], self.change(output[-1:])))

        handle = module.register_forward_hook(hook)
        try:
            yield
        finally:
            handle.remove()


@dataclass(frozen=True)
class AttentionReplacement:
    """The attention probabilities (1 or rows, heads, cells, tokens), float32, of an attention module to what they shall
    be (Prompt-to-Prompt, arXiv 2208.01626).

    The module's output is computed again from them: whatever processor is installed keeps its probabilities to
    itself. So where nothing is changed the output is the same but for rounding."""

    change: Callable[[Tensor], Tensor]
    every_row: bool = False

    @contextmanager
    def on(self, module: nn.Module) -> Iterator[None]:
        with projections_of(module, ("to_q", "to_k", "to_v")) as seen:

            def hook(attention: Any, inputs: Any, output: Tensor) -> Tensor:
                kept = 0 if self.every_row else len(output) - 1
                queries, keys, values = (seen.pop(name)[kept:] for name in ("to_q", "to_k", "to_v"))
                changed = self.change(attention_probabilities(attention, queries, keys))
                heads = values.unflatten(-1, (attention.heads, -1)).transpose(1, 2)
                mixed = (changed.to(heads.dtype) @ heads).transpose(1, 2).flatten(2)
                for layer in attention.to_out:
                    mixed = layer(mixed)
                return torch.cat((output[:kept], mixed / attention.rescale_output_factor))

            handle = module.register_forward_hook(hook)
            try:
                yield
            finally:
                handle.remove()


@contextmanager
def replaced(unet: nn.Module, replacements: Mapping[str, Replacement]) -> Iterator[None]:
    """Inside the block the modules of these names give out what their replacements make of it.

    Raises:
        AttributeError: the network has no module of such a name.
    """
    with ExitStack() as hooks:
        for name, replacement in replacements.items():
            hooks.enter_context(replacement.on(unet.get_submodule(name)))
        yield


def as_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """A sequence (1, h w, C) over the cells of a latent of this `size` (height, width), or of a coarser grid of the
    same proportions, as a map (1, C, h, w)."""
    coarser = (size[0] * size[1] / tokens.shape[1]) ** 0.5
    return tokens.transpose(1, 2).unflatten(-1, (round(size[0] / coarser), round(size[1] / coarser)))
