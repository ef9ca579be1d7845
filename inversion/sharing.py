"""The networks of a loaded pipeline as they act now: copies that share its weights, so that the pipeline stays as it
is."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from inversion.errors import ModelError

HOOKS = ("_hf_hook", "_diffusers_hook")  # by which accelerate and diffusers move or cast weights around a pass
PATCHED = (*HOOKS, "forward", "_old_forward")
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)  # that a network computes in


def without_compiling(module: Any) -> Any:
    """A module itself, where `torch.compile` is around it."""
    return getattr(module, "_orig_mod", module)


def shared_copy(network: Any, what: str, name: str) -> Any:
    """A frozen copy of a pipeline's network as it is set now, with the same tensors: adapters, their scales and FreeU
    act as they do there, what is compiled or fused is as it was before, and nothing is offloaded or cast any more.
    `what` and `name` are what messages call the network and the model.

    Raises:
        ModelError: its weights are not in memory, are quantised, or something else was put into it.
    """
    network = without_compiling(network)
    _check(network, what, name)
    memo: dict[int, Any] = {}
    for tensor in network.parameters():
        data = tensor.detach()
        if data.is_floating_point() and data.dtype not in DTYPES:  # stored in 8 bits, and cast for every pass
            data = data.to(network.dtype)
        memo[id(tensor)] = nn.Parameter(data, requires_grad=False)
    memo |= {id(buffer): buffer for buffer in network.buffers()}
    compiled = [module for module in network.modules() if hasattr(module, "_orig_mod")]
    for module in network.modules():
        kept = [vars(module)[key] for key in PATCHED if key in vars(module)] + _hooks(module)
        memo |= {id(each): each for each in kept}
    for module in reversed(compiled):
        memo[id(module)] = copy.deepcopy(module._orig_mod, memo)
    copied = copy.deepcopy(network, memo)
    for module in copied.modules():
        for key in PATCHED:
            vars(module).pop(key, None)
    if getattr(copied, "original_attn_processors", None) is not None:  # queries, keys and values are one projection
        copied.unfuse_qkv_projections()
    return copied


def _hooks(module: nn.Module) -> list[Any]:
    """Whatever is called before or after a module; it stays the caller's own."""
    tables = [hooks for key, hooks in vars(module).items() if key.endswith("_hooks")]
    return [hook for hooks in tables for hook in hooks.values()]


def _check(network: nn.Module, what: str, name: str) -> None:
    def refuse(why: str) -> ModelError:
        return ModelError(f'"{name}": its {what} {why}')

    tensors: list[Tensor] = [*network.parameters(), *network.buffers()]
    if any(tensor.is_meta for tensor in tensors):
        raise refuse(
            "is offloaded layer by layer, so that its weights are not there; load the pipeline without "
            "enable_sequential_cpu_offload, device_map or offloading to a disk"
        )
    plain = all(type(tensor) in (Tensor, nn.Parameter) for tensor in tensors)
    if not plain or getattr(network, "is_quantized", False) or getattr(network, "hf_quantizer", None) is not None:
        raise refuse("is quantised, which is not supported; load it in bfloat16")
    if getattr(network, "dtype", None) not in DTYPES:
        raise refuse(f"is in {getattr(network, 'dtype', None)}; load it in float32, bfloat16 or float16")
    for place, module in network.named_modules():
        known = hasattr(module, "_orig_mod") or any(vars(module).get(hook) is not None for hook in HOOKS)
        if "forward" in vars(module) and not known:
            raise refuse(f"was changed: another program replaced the forward of {place or 'the whole'}; load it anew")
