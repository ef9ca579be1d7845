"""Inversions for users of plain diffusers: the arguments with which a `StableDiffusionPipeline` reproduces the
photo."""

from collections.abc import Callable
from typing import Any

import torch

from inversion.model import DiffusionModel
from inversion.problem import Inverted
from inversion.reference import Reference

StepEnd = Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]
"""A diffusers callback: called with the pipeline, the step, its timestep and its tensors, it returns the tensors."""


def pipeline_arguments(model: DiffusionModel, found: Inverted | Reference, prompt: str) -> dict[str, Any]:
    """The arguments of a call of a `StableDiffusionPipeline` or `StableDiffusionXLPipeline` of the same model, with
    its DDIM scheduler: `pipe(**pipeline_arguments(model, reference, prompt))`.

    `prompt` is that of the inversion. The pipeline takes one unprompted embedding; its callback at the end of every
    step sets those of the later steps and adds the residuals. Change `prompt_embeds` to edit by words.
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
    residual of step `i`. (SDXL's pooled embedding is the same at all steps.)"""
    unconditional, residuals = found.unconditional, found.residuals

    def call(pipe: Any, i: int, t: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        both, latents = tensors["prompt_embeds"], tensors["latents"]
        if i + 1 < len(unconditional):
            tensors["prompt_embeds"] = torch.cat([unconditional.tokens[i + 1 : i + 2].to(both), both[1:]])
        if residuals is not None:
            tensors["latents"] = latents + residuals[i : i + 1].to(latents)
        return tensors

    return call
