"""How much memory a guided step needs, found out without spending any, and what is done to fit a device."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psutil
import torch
from torch import Tensor, nn

WORKING_ROOM = 1.25  # on top of what is counted: read maps, gradients on their way, and the allocator's gaps
KEPT_FREE = 0.1  # of what is available
PLENTY = 20  # times its weights are enough for any model, without a closer look


class Memory(enum.Enum):
    """What is done to fit a device: AUTO finds out what is needed; FAST spares nothing; CHECKPOINTED computes
    activations again for the gradient; LEAN also keeps only the network at work on the device."""

    AUTO = "auto"
    FAST = "fast"
    CHECKPOINTED = "checkpointed"
    LEAN = "lean"


@dataclass
class _Kept:
    """Bytes of different tensors, but for those of the weights."""

    weights: set[int] = field(default_factory=set)
    tensors: dict[int, Tensor] = field(default_factory=dict)

    def __call__(self, tensor: Tensor) -> Tensor:
        if tensor.untyped_storage()._cdata not in self.weights:
            self.tensors[tensor.untyped_storage()._cdata] = tensor
        return tensor

    @property
    def bytes(self) -> int:
        return sum(t.untyped_storage().nbytes() for t in self.tensors.values())


def kept_for_gradient(unet: Any, latent: tuple[int, int], tokens: int, *, checkpointed: bool) -> int:
    """Bytes of activations that one pass of a U-Net keeps for its gradient in the latent (h, w), at most at a time.

    The pass runs on shapes alone, which takes a second and no memory.
    """
    config = unet.config
    with torch.device("meta"):
        hollow = type(unet).from_config(config).requires_grad_(False).eval()
        nn.Module.to(hollow, unet.dtype)
        z = torch.empty(1, config.in_channels, *latent, dtype=unet.dtype, requires_grad=True)
        text = torch.empty(1, tokens, config.cross_attention_dim, dtype=unet.dtype)
        extra = None
        if config.addition_embed_type is not None:
            pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
            extra = {"text_embeds": torch.empty(1, pooled), "time_ids": torch.empty(1, 6)}
            extra = {name: value.to(unet.dtype) for name, value in extra.items()}
        t = torch.zeros(())
    weights = {p.untyped_storage()._cdata for p in hollow.parameters()}
    outside, inputs, largest = _Kept(weights), _Kept(weights), 0

    def block(module: nn.Module, *args: Any) -> Any:
        nonlocal largest
        for argument in args:
            if isinstance(argument, Tensor):
                inputs(argument)
        inside = _Kept(weights)
        with torch.autograd.graph.saved_tensors_hooks(inside, lambda tensor: tensor):
            output = module(*args)
        largest = max(largest, inside.bytes)
        return output

    if checkpointed:
        hollow.enable_gradient_checkpointing(block)
    with torch.autograd.graph.saved_tensors_hooks(outside, lambda tensor: tensor):
        hollow(z, t, encoder_hidden_states=text, added_cond_kwargs=extra)
    return outside.bytes + inputs.bytes + largest


def bytes_of(networks: Iterable[nn.Module]) -> int:
    """Bytes of the weights of networks."""
    return sum(p.numel() * p.element_size() for network in networks for p in network.parameters())


def needed(unet: Any, others: Iterable[nn.Module], latent: tuple[int, int], tokens: int, memory: Memory) -> int:
    """Bytes that guided sampling needs on the device, about, with a choice of what is spared."""
    kept = kept_for_gradient(unet, latent, tokens, checkpointed=memory is not Memory.FAST)
    resident = bytes_of([unet]) + (0 if memory is Memory.LEAN else bytes_of(others))
    return int(resident + WORKING_ROOM * kept)


def chosen(unet: Any, others: Iterable[nn.Module], latent: tuple[int, int], tokens: int, free: int) -> Memory:
    """The first choice that fits into `free` bytes, which hold the weights too; LEAN if none does."""
    others = list(others)
    if PLENTY * bytes_of([unet, *others]) < free:
        return Memory.FAST
    for memory in (Memory.FAST, Memory.CHECKPOINTED):
        if needed(unet, others, latent, tokens, memory) <= free * (1 - KEPT_FREE):
            return memory
    return Memory.LEAN


def available(device: torch.device) -> int:
    """Bytes that can be had on a device, beside what this program holds there already."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
