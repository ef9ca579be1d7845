"""Checks of a model's networks and words: weights, tokens, equality with diffusers, a gradient."""

from typing import Any

import torch
from torch import Tensor

from inversion.loading import check_weights, plain_pipeline
from inversion.model import DiffusionModel
from inversion.pipeline import pipeline_arguments
from inversion.problem import Inverted
from inversion.taps import tap
from inversion.vocabulary import check_tokenizer
from realedit.commands.model_under_test import ModelUnderTest, Verdict
from realedit.sampling.energies import CentroidEnergy
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.prediction import Conditioning, Step
from realedit.sampling.sampler import sample
from realedit.settings import Strength

PROMPT, PHRASE, WORDS = "a photo of a red ball and a striped blue can on a wooden table", "striped blue can", 3
EQUALITY_STEPS = 5  # of the comparison with diffusers
# The relative difference in float32 on a CPU, and elsewhere, where diffusers rounds latents too.
EXACT_DIFFERENCE, CLOSE_DIFFERENCE = 0.0, 0.1
EXACT_LEVELS, CLOSE_LEVELS = 0, 8  # of 255: the same of pixels


def weights(tested: ModelUnderTest) -> Verdict:
    """Every tensor is there and finite, and every token of the tokenizers has an embedding."""
    model, counts = tested.model, []
    for network in model.networks:
        check_weights(network, type(network).__name__, model.name)
        millions = sum(p.numel() for p in network.parameters()) / 1e6
        counts.append(f"{type(network).__name__} {millions:.1f}")
    for encoder in model.texts.encoders:
        check_tokenizer(encoder.tokenizer, encoder.network, model.name)
    known = min(len(encoder.tokenizer) for encoder in model.texts.encoders)
    return Verdict(True, f"{', '.join(counts)} million numbers, all finite; {known} tokens", {"tokens": float(known)})


def words(tested: ModelUnderTest) -> Verdict:
    """A phrase has its own tokens, and neither the marks nor the padding."""
    texts = tested.model.texts
    found, length = texts.positions(PROMPT, PHRASE), texts.length(PROMPT)
    inside = all(0 < k < length - 1 for k in found)
    said = f'"{PHRASE}" is tokens {", ".join(map(str, found))} of {length}'
    return Verdict(inside and len(found) >= WORDS, said)


def equality(tested: ModelUnderTest) -> Verdict:
    """Without guidance the sampler is diffusers' own pipeline, to the latent and, where that can run at all, to the
    pixel."""
    model = tested.model
    exact = model.unet.dtype == torch.float32 and model.device.type == "cpu"
    most, most_levels = (EXACT_DIFFERENCE, EXACT_LEVELS) if exact else (CLOSE_DIFFERENCE, CLOSE_LEVELS)
    ours, arguments = _sampled(tested)
    theirs = _latent_pipeline(model)(**arguments, output_type="latent").images.float()
    apart = ((ours - theirs).norm() / theirs.norm()).item()
    said = f"differs from diffusers by {apart:.2g} of the latent (at most {most:g})"
    numbers, passed = {"latent": apart}, apart <= most
    if _is_one_piece(model):
        pixels = plain_pipeline(model)(**arguments, output_type="pt").images
        levels = 255 * (model.decode(ours) - pixels.float()).abs().max().item()
        said += f" and {levels:.2g} of 255 (at most {most_levels})"
        numbers, passed = numbers | {"levels": levels}, passed and levels <= most_levels
    return Verdict(passed, said, numbers)


def _sampled(tested: ModelUnderTest) -> tuple[Tensor, dict[str, Any]]:
    """A latent (1, C, h, w) that is drawn without guidance, and what diffusers is to be told to draw the same."""
    model = tested.model
    side = model.native_size // model.latent_factor
    noise = torch.randn(1, model.unet.config.in_channels, side, side, generator=torch.Generator().manual_seed(0))
    noise = noise.to(model.device)
    rows = Conditioning.plain(model, PROMPT, EQUALITY_STEPS, tested.settings.guidance_scale)
    ours = sample(model, noise, model.schedule(EQUALITY_STEPS), rows)
    arguments = pipeline_arguments(model, Inverted(noise, rows.unconditional, rows.guidance_scale), PROMPT)
    return ours, {k: v.to(model.unet.dtype) if isinstance(v, Tensor) else v for k, v in arguments.items()}


def _latent_pipeline(model: DiffusionModel) -> Any:
    """diffusers' pipeline without the networks that are of another type here or lie elsewhere."""
    pipe = plain_pipeline(model)
    for part in ("vae", "text_encoder", "text_encoder_2"):
        if getattr(pipe, part, None) is not None:
            setattr(pipe, part, None)
    return pipe


def _is_one_piece(model: DiffusionModel) -> bool:
    """Whether all networks are of one type and on one device, without which diffusers' pipeline decodes nothing."""
    return len({(network.dtype, network.device) for network in model.networks}) == 1


def gradient(tested: ModelUnderTest) -> Verdict:
    """An energy of the attention has a finite gradient in the latent, and a step against it lowers the energy."""
    model, schedule = tested.model, tested.model.schedule(EQUALITY_STEPS)
    side = model.native_size // model.latent_factor
    z = torch.randn(1, model.unet.config.in_channels, side, side, generator=torch.Generator().manual_seed(1))
    z, i = z.to(model.device), EQUALITY_STEPS // 2
    targets = {name: torch.tensor((0.2, 0.5)).expand(EQUALITY_STEPS, 1, 2) for name in model.sites.attention}
    energy = CentroidEnergy(model.texts.positions(PROMPT, PHRASE), targets)
    guidance = Guidance(energy, torch.ones_like(z[:, :1]), Strength(), 0.0, GuidedSteps(0.0, 1.0))
    rows = Conditioning.plain(model, PROMPT, EQUALITY_STEPS, 1.0)
    slope, _ = Step(model, schedule, rows, i).energy_gradient(z, guidance)
    before = guidance.history[-1].energy
    if slope is None or not torch.isfinite(slope).all() or not slope.any():
        return Verdict(False, f"energy {before:.3g}, whose gradient is zero or not finite")
    with torch.no_grad(), tap(model.unet, model.sites) as tape:
        model.predict(z - 0.1 * slope / slope.square().mean().sqrt(), schedule.timesteps[i], [rows.prompt])
        after = energy(tape, i).item()
    numbers = {"before": before, "after": after}
    return Verdict(after < before, f"energy {before:.4f} to {after:.4f} against its gradient", numbers)
