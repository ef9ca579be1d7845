"""DDIM inversion and null-text optimisation."""

import pytest
import torch
from diffusers import DDIMInverseScheduler

from inversion import ddim, null_text
from inversion.ddim import walk_up
from inversion.methods import METHODS
from inversion.null_text import NullTextSettings
from realedit.options import METHOD_NAMES
from realedit.sampler import Rows, sample
from tests.conftest import PROMPT, random_latent

STEPS = 6


def test_walk_is_diffusers_inverse_walk_to_the_bit(tiny):
    """The same network outputs through `DDIMInverseScheduler` in float64 give the same latents."""
    schedule, text = tiny.schedule(STEPS), tiny.embed(PROMPT)
    z = random_latent().double()
    pivots = walk_up(tiny, z, text, schedule)
    inverse = DDIMInverseScheduler.from_config(tiny.scheduler.config)
    inverse.set_timesteps(STEPS)
    with torch.no_grad():
        for n, t in enumerate(inverse.timesteps):
            assert torch.equal(pivots[STEPS - n], z[0])
            z = inverse.step(tiny.predict(z, int(t), [text]), int(t), z).prev_sample
    assert pivots.dtype == torch.float64
    assert torch.equal(pivots[0], z[0])


def test_ddim_reconstructs_at_guidance_one(tiny):
    """Without guidance the way back retraces the way up, better with more steps."""
    latent, errors = random_latent(), []
    for steps in (10, 100):
        schedule = tiny.schedule(steps)
        found = ddim.invert(tiny, latent, PROMPT, schedule, 1.0)
        back = sample(tiny, found.pivots[:1], schedule, Rows(tiny.embed(PROMPT), found.unconditional, 1.0))
        errors.append((back - latent).square().mean().item())
    assert errors[1] < 0.2 * errors[0]


def test_null_text_reconstructs_where_ddim_drifts(tiny):
    latent, schedule, errors = random_latent(), tiny.schedule(STEPS), {}
    for name, method in METHODS.items():
        found = method(tiny, latent, PROMPT, schedule, 7.5)
        back = sample(tiny, found.pivots[:1], schedule, Rows(tiny.embed(PROMPT), found.unconditional, 7.5))
        errors[name] = (back - latent).square().mean().item()
    assert errors["null-text"] < errors["ddim"]


def test_step_under_tolerance_costs_one_row_and_changes_nothing(model):
    schedule, latent = model.schedule(STEPS), random_latent()
    loose = NullTextSettings(tolerance=(1e9, 1e9))
    with model.metered() as meter:
        found = null_text.invert(model, latent, PROMPT, schedule, 7.5, settings=loose)
    own = model.embed(PROMPT).tokens
    assert all(torch.equal(row, own[0]) for row in found.unconditional)
    # Up; prompted row; one check with a graph that is never walked back.
    forwards = STEPS * 3
    assert forwards <= meter.forward_equivalents <= forwards + STEPS * 1.08 + 1e-6


def test_weights_get_no_gradient_and_embeddings_stay_float32(folders):
    from inversion.model import load_model

    half = load_model(str(folders["epsilon"]), device="cpu", dtype="bfloat16")
    found = null_text.invert(
        half,
        random_latent(),
        PROMPT,
        half.schedule(3),
        7.5,
        settings=NullTextSettings(inner_steps=2, tolerance=(0.0, 0.0)),
    )
    assert found.unconditional.dtype == torch.float32
    assert torch.isfinite(found.unconditional).all()
    assert found.unconditional.shape[0] == 3
    assert all(p.grad is None and not p.requires_grad for p in half.unet.parameters())


@pytest.mark.parametrize("steps", [2, 120])
def test_learning_rate_stays_positive(model, steps, monkeypatch):
    rates = []
    adam = torch.optim.Adam

    def spy(params, lr):
        rates.append(lr)
        return adam(params, lr=lr)

    monkeypatch.setattr(torch.optim, "Adam", spy)
    null_text.invert(
        model,
        random_latent(height=8, width=8),
        PROMPT,
        model.schedule(steps),
        7.5,
        settings=NullTextSettings(inner_steps=0),
    )
    assert len(rates) == steps
    assert min(rates) > 0


def test_command_line_knows_every_method():
    assert tuple(METHODS) == METHOD_NAMES
