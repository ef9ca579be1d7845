"""Inversion of a photo into a diffusion model's noise; recorded attention and features, and what they measure.

Conventions, here once and used everywhere:

==================  ==========================================================================
photo               float32 `(1, 3, H, W)`, RGB, [0, 1]; [-1, 1] only inside `encode`/`decode`
latent              `(1, C, h, w)`, scaled by the VAE's scaling (and shift) factor
position            `(x, y)`, origin top left, fractions of width and height; the centre of
                    pixel `i` of `n` lies at `(i + 0.5) / n`
size                fraction of the photo's area
step `i`            0 is the noisiest, in sampling order everywhere, also while inverting
timestep `t`        the training timestep, named only when handed to the U-Net
`alpha_bar`         cumulative product of the noise schedule; the noise level is 1 - alpha_bar
guidance scale `g`  uncond + g (cond - uncond); the paper's s is g - 1
mask                float32 `(1, 1, H, W)`, 1 = may change
attention map       `(tokens, h, w)` or `(B, tokens, h, w)`, mean over heads, prompted row
dtype               the U-Net may run in half precision; latents, null embeddings, attention
                    probabilities, energies and gradients stay float32
==================  ==========================================================================

Maps and photos are never assumed square. Names are loaded on first use, so that importing this
package costs nothing.
"""

from importlib import import_module

_HOMES = {
    "DiffusionModel": "model",
    "Embedding": "text",
    "Memory": "footprint",
    "load_model": "loading",
    "model_of": "loading",
    "plain_pipeline": "loading",
    "Schedule": "schedule",
    "Sites": "taps",
    "Tape": "taps",
    "tap": "taps",
    "Reference": "reference",
    "Recorder": "record",
    "record": "record",
    "Inverted": "problem",
    "InversionProblem": "problem",
    "pipeline_arguments": "pipeline",
    "RealEditError": "errors",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'inversion' has no attribute '{name}'")
    return getattr(import_module(f"inversion.{_HOMES[name]}"), name)
