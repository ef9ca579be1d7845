"""Tiny random inpainting pipelines: a tiny text-to-image pipeline with a U-Net of nine channels."""

import torch
from diffusers import (
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)

NO_FILTERS = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}


def tiny_inpainting_pipeline(
    pipe: StableDiffusionPipeline | StableDiffusionXLPipeline,
) -> StableDiffusionInpaintPipeline | StableDiffusionXLInpaintPipeline:
    """It shares the autoencoder and the text encoders of `pipe`."""
    torch.manual_seed(6)
    unet = UNet2DConditionModel.from_config({**pipe.unet.config, "in_channels": 9}).eval()
    parts = {name: part for name, part in pipe.components.items() if part is not None} | {"unet": unet}
    if isinstance(pipe, StableDiffusionXLPipeline):
        return StableDiffusionXLInpaintPipeline(**parts, add_watermarker=False)
    return StableDiffusionInpaintPipeline(**parts, **NO_FILTERS)
