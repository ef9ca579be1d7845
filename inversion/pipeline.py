"""Our inversions for users of plain diffusers: what to hand to a `StableDiffusionPipeline` so that it gives the
photo back."""

from collections.abc import Callable
from typing import Any

import torch

from inversion.ddim import Inverted
from inversion.model import DiffusionModel
from inversion.reference import Reference

StepEnd = Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]


def pipeline_arguments(model: DiffusionModel, found: Inverted | Reference, prompt: str) -> dict[str, Any]:
    """The arguments of a call of a `StableDiffusionPipeline` of the same model, with its DDIM scheduler:
    `pipe(**pipeline_arguments(model, reference, prompt))`.

    The pipeline takes one unprompted embedding; those of the later steps, and residuals, reach it through its
    callback at the end of every step. Change `prompt_embeds` to edit by words.
    """
    unconditional = found.unconditional.to(model.device)
    scale = found.header.guidance_scale if isinstance(found, Reference) else found.guidance_scale
    return {
        "prompt_embeds": model.embed(prompt).tokens,
        "negative_prompt_embeds": unconditional[:1],
        "latents": found.pivots[:1].to(model.device),
        "num_inference_steps": len(unconditional),
        "guidance_scale": scale,
        "callback_on_step_end": step_end(found),
        "callback_on_step_end_tensor_inputs": ["latents", "prompt_embeds"],
    }


def step_end(found: Inverted | Reference) -> StepEnd:
    """The callback alone: after step `i` it sets the unprompted embedding of step `i + 1` and adds the
    residual of step `i`."""
    unconditional, residuals = found.unconditional, found.residuals

    def call(pipe: Any, i: int, t: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        both, latents = tensors["prompt_embeds"], tensors["latents"]
        if i + 1 < len(unconditional):
            tensors["prompt_embeds"] = torch.cat([unconditional[i + 1 : i + 2].to(both), both[1:]])
        if residuals is not None:
            tensors["latents"] = latents + residuals[i : i + 1].to(latents)
        return tensors

    return call
