"""How much memory a guided step needs, estimated without allocating it, and how a model is fitted to a device."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from inversion.main_memory import KEPT_FREE, free_bytes

WORKING_ROOM = 1.25  # on top of what is counted: read maps, gradients on their way, and the allocator's gaps
AT_A_TIME = 3.5  # of the largest activations while decoding (measured on a CPU, 512 pixels)
PLENTY = 20  # times its weights are enough for any model, without a closer look


class Memory(enum.Enum):
    """How a model is fitted to a device: AUTO chooses by the memory that is needed and free; FAST saves no memory;
    CHECKPOINTED computes activations again for the gradient; LEAN also keeps only the network in use on the device."""

    AUTO = "auto"
    FAST = "fast"
    CHECKPOINTED = "checkpointed"
    LEAN = "lean"


@dataclass
class _Kept:
    """The bytes of the tensors it was called with: each storage once, those of the weights not at all."""

    weights: set[int] = field(default_factory=set)
    tensors: dict[int, Tensor] = field(default_factory=dict)

    def __call__(self, tensor: Tensor) -> Tensor:
        if tensor.untyped_storage()._cdata not in self.weights:
            self.tensors[tensor.untyped_storage()._cdata] = tensor
        return tensor

    @property
    def bytes(self) -> int:
        return sum(t.untyped_storage().nbytes() for t in self.tensors.values())


class _Fused(torch.autograd.Function):
    """Attention as fused kernels have it: queries, keys, values and the result are kept, their products never."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        result = q.new_empty(*q.shape[:-1], v.shape[-1])
        ctx.save_for_backward(q, k, v, result)
        return result


class _FusedAttention(TorchFunctionMode):
    """Inside, attention on shapes alone counts as fused; there is no such kernel for shapes."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.nn.functional.scaled_dot_product_attention:
            return _Fused.apply(*args[:3])
        return func(*args, **(kwargs or {}))


def kept_for_gradient(unet: Any, latent: tuple[int, int], tokens: int, *, checkpointed: bool) -> int:
    """The peak of the bytes of activations that one forward and backward pass of a U-Net keeps for the gradient in a
    latent (h, w), for one row of `tokens` text tokens, with or without gradient checkpointing.

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
    with _FusedAttention(), torch.autograd.graph.saved_tensors_hooks(outside, lambda tensor: tensor):
        hollow(z, t, encoder_hidden_states=text, added_cond_kwargs=extra)
    return outside.bytes + inputs.bytes + largest


def kept_for_decoding(vae: Any, latent: tuple[int, int]) -> int:
    """The peak of the bytes of activations while a latent (h, w) is decoded, without a gradient."""
    with torch.device("meta"):
        hollow = type(vae).from_config(vae.config).requires_grad_(False).eval()
        nn.Module.to(hollow, vae.dtype)
        z = torch.empty(1, vae.config.latent_channels, *latent, dtype=vae.dtype)
    largest = 0

    def look(module: nn.Module, inputs: Any, output: Any) -> None:
        nonlocal largest
        if isinstance(output, Tensor):
            largest = max(largest, output.untyped_storage().nbytes())

    for module in hollow.modules():
        module.register_forward_hook(look)
    with torch.no_grad(), _FusedAttention():
        hollow.decode(z)
    return int(AT_A_TIME * largest)


def bytes_of(networks: Iterable[nn.Module]) -> int:
    """Bytes of the weights of networks."""
    return sum(p.numel() * p.element_size() for network in networks for p in network.parameters())


@dataclass(frozen=True)
class Need:
    """What determines a model's need for memory: its `unet`, its `vae`, the networks of its text encoders (`texts`),
    the `latent` size (h, w), and the text `tokens` of a row."""

    unet: Any
    vae: Any
    texts: tuple[Any, ...]
    latent: tuple[int, int]
    tokens: int

    def bytes(self, memory: Memory) -> int:
        """About how many bytes guided sampling, encoding and decoding need on the device, weights included, with a
        choice of how memory is saved (AUTO counts as CHECKPOINTED)."""
        kept = self._kept if memory is Memory.FAST else self._kept_checkpointed
        guided, decoding = int(WORKING_ROOM * kept), self._kept_for_decoding
        unet, vae, texts = (bytes_of(networks) for networks in ([self.unet], [self.vae], self.texts))
        if memory is Memory.LEAN:
            return max(unet + guided, vae + decoding, texts)
        return unet + vae + texts + max(guided, decoding)

    @cached_property
    def _kept(self) -> int:
        return kept_for_gradient(self.unet, self.latent, self.tokens, checkpointed=False)

    @cached_property
    def _kept_checkpointed(self) -> int:
        return kept_for_gradient(self.unet, self.latent, self.tokens, checkpointed=True)

    @cached_property
    def _kept_for_decoding(self) -> int:
        return kept_for_decoding(self.vae, self.latent)

    def choice(self, free: int) -> Memory:
        """The fastest choice that fits into `free` bytes, weights included; LEAN if none does."""
        if PLENTY * bytes_of([self.unet, self.vae, *self.texts]) < free:
            return Memory.FAST
        for memory in (Memory.FAST, Memory.CHECKPOINTED):
            if self.bytes(memory) <= free * (1 - KEPT_FREE):
                return memory
        return Memory.LEAN


def available(device: torch.device) -> int:
    """Bytes that are free on a device, beside those that this process holds there already."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return free_bytes()
