"""Our inversions for users of plain diffusers: what to hand to a `StableDiffusionPipeline` so that it gives the
photo back."""

from collections.abc import Callable
from typing import Any

import torch

from inversion.model import DiffusionModel
from inversion.problem import Inverted
from inversion.reference import Reference

StepEnd = Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]


def pipeline_arguments(model: DiffusionModel, found: Inverted | Reference, prompt: str) -> dict[str, Any]:
    """The arguments of a call of a `StableDiffusionPipeline` or `StableDiffusionXLPipeline` of the same model, with
    its DDIM scheduler: `pipe(**pipeline_arguments(model, reference, prompt))`.

    The pipeline takes one unprompted embedding; those of the later steps, and residuals, reach it through its
    callback at the end of every step. Change `prompt_embeds` to edit by words.
    """
    text, unprompted = model.embed(prompt), found.unconditional[:1].to(model.device)
    latents = found.pivots[:1].to(model.device)
    arguments = {
        "prompt_embeds": text.tokens,
        "negative_prompt_embeds": unprompted.tokens,
        "latents": latents,
        "height": latents.shape[-2] * model.latent_factor,
        "width": latents.shape[-1] * model.latent_factor,
        "num_inference_steps": len(found.unconditional),
        "guidance_scale": found.header.guidance_scale if isinstance(found, Reference) else found.guidance_scale,
        "callback_on_step_end": step_end(found),
        "callback_on_step_end_tensor_inputs": ["latents", "prompt_embeds"],
    }
    if text.pooled is not None:
        arguments |= {"pooled_prompt_embeds": text.pooled, "negative_pooled_prompt_embeds": unprompted.pooled}
    return arguments


def step_end(found: Inverted | Reference) -> StepEnd:
    """The callback alone: after step `i` it sets the unprompted embedding of step `i + 1` and adds the
    residual of step `i`. (The whole text in one vector that SDXL has besides is one for all steps.)"""
    unconditional, residuals = found.unconditional, found.residuals

    def call(pipe: Any, i: int, t: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        both, latents = tensors["prompt_embeds"], tensors["latents"]
        if i + 1 < len(unconditional):
            tensors["prompt_embeds"] = torch.cat([unconditional.tokens[i + 1 : i + 2].to(both), both[1:]])
        if residuals is not None:
            tensors["latents"] = latents + residuals[i : i + 1].to(latents)
        return tensors

    return call
