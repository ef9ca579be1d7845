"""Read tensors inside the U-Net during a forward pass.

Forward hooks alone, nothing is replaced: the network's output stays equal to the last bit, whatever attention
processors are installed. Attention probabilities are computed in addition to the network's own attention, from the
same queries and keys, in float32, and carry gradients.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Sites:
    """Module names to read: cross-attention layers and modules whose output is a feature map."""

    attention: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


@dataclass(eq=False)
class Tape:
    """What was read in the last forward pass, by module name.

    `attention[name]` (B, tokens, h, w), float32: the mean over heads, summing to 1 over tokens.
    `features[name]` (B, channels, h, w), in the network's dtype. A further pass overwrites both.
    `clean` (B, C, h, w): the clean latent that a sampler's step predicts, if it says so; with its gradient."""

    attention: dict[str, Tensor] = field(default_factory=dict)
    features: dict[str, Tensor] = field(default_factory=dict)
    clean: Tensor | None = None


@contextmanager
def tap(unet: nn.Module, sites: Sites) -> Iterator[Tape]:
    """Record `sites` of every forward pass inside the block onto one `Tape`.

    Raises:
        AttributeError: the network has no module of such a name.
    """
    tape = Tape()
    with ExitStack() as hooks:
        for name in sites.attention:
            hooks.enter_context(_read_attention(unet, name, tape))
        for name in sites.features:
            hooks.enter_context(_read_output(unet, name, tape))
        yield tape


@contextmanager
def _read_output(unet: nn.Module, name: str, tape: Tape) -> Iterator[None]:
    def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
        tape.features[name] = output

    handle = unet.get_submodule(name).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _read_attention(unet: nn.Module, name: str, tape: Tape) -> Iterator[None]:
    """`name` is a cross-attention module such as "up_blocks.1.attentions.0.transformer_blocks.0.attn2".

    Its inputs are flattened, so the map's height and width are read from the block around it. Its queries and keys
    are taken as the network itself projects them, also through whatever is put around the projections."""
    block, module = unet.get_submodule(name.split(".transformer_blocks.")[0]), unet.get_submodule(name)
    size: list[int] = []

    def remember_size(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        hidden = args[0] if args else kwargs["hidden_states"]
        size[:] = hidden.shape[-2:]

    with projections_of(module, ("to_q", "to_k")) as projected:

        def read(module: nn.Module, inputs: Any, output: Any) -> None:
            tape.attention[name] = attention_maps(module, projected.pop("to_q"), projected.pop("to_k"), size)

        handles = [
            block.register_forward_pre_hook(remember_size, with_kwargs=True),
            module.register_forward_hook(read),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


@contextmanager
def projections_of(module: nn.Module, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """What an attention module's projections of these names gave out last, (B, cells or tokens, C) each, also through
    whatever is put around them."""
    projected: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            projected[name] = output

        return hook

    handles = [module.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    try:
        yield projected
    finally:
        for handle in handles:
            handle.remove()


def attention_probabilities(module: Any, queries: Tensor, keys: Tensor) -> Tensor:
    """Attention (B, heads, cells, tokens), float32, of projected `queries` (B, cells, C) on `keys` (B, tokens, C)."""
    q = queries.unflatten(-1, (module.heads, -1)).transpose(1, 2)
    k = keys.unflatten(-1, (module.heads, -1)).transpose(1, 2)
    with torch.autocast(queries.device.type, enabled=False):  # float32 also inside mixed precision
        return torch.softmax(q.float() @ k.float().transpose(-1, -2) * module.scale, dim=-1)


def attention_maps(module: Any, queries: Tensor, keys: Tensor, size: list[int]) -> Tensor:
    """Head-mean attention (B, tokens, h, w) of projected `queries` (B, h w, C) on `keys` (B, tokens, C)."""
    height, width = size
    return attention_probabilities(module, queries, keys).mean(1).transpose(1, 2).unflatten(-1, (height, width))
