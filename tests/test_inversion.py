"""DDIM inversion and null-text optimisation."""

import functools
from dataclasses import replace

import pytest
import torch
from diffusers import DDIMInverseScheduler
from hypothesis import given
from hypothesis import strategies as st

from inversion import ddim, fixed_point, null_text, residual
from inversion.ddim import walk_up
from inversion.footprint import Memory
from inversion.loading import plain_pipeline
from inversion.methods import METHODS
from inversion.null_text import TEXTBOOK, NullTextSettings
from inversion.pipeline import pipeline_arguments
from inversion.problem import InversionProblem
from inversion.schedule import ddim_step
from realedit.sampling.latent_blending import ResidualCorrection
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.settings import MEMORY_NAMES, METHOD_NAMES
from tests.tiny_models import PROMPT, random_latent

STEPS = 6
# SDXL predicts the noise, as the first of these does.
both_parameterisations = pytest.mark.parametrize("kind", ["epsilon", "v_prediction"], indirect=True, scope="session")


def test_walk_is_diffusers_inverse_walk_to_the_bit(tiny):
    """The same network outputs through `DDIMInverseScheduler` in float64 give the same latents."""
    schedule, text = tiny.schedule(STEPS), tiny.embed(PROMPT)
    z = random_latent().double()
    pivots = walk_up(InversionProblem(tiny, z, PROMPT, schedule, 1.0))
    inverse = DDIMInverseScheduler.from_config(tiny.scheduler.config)
    inverse.set_timesteps(STEPS)
    with torch.no_grad():
        for n, t in enumerate(inverse.timesteps):
            assert torch.equal(pivots[STEPS - n], z[0])
            z = inverse.step(tiny.predict(z, int(t), [text]), int(t), z).prev_sample
    assert pivots.dtype == torch.float64
    assert torch.equal(pivots[0], z[0])


@both_parameterisations
def test_ddim_reconstructs_at_guidance_one(tiny):
    """Without guidance the way back retraces the way up, better with more steps."""
    latent, errors = random_latent(), []
    for steps in (5, 40):
        schedule = tiny.schedule(steps)
        found = ddim.invert(InversionProblem(tiny, latent, PROMPT, schedule, 1.0))
        back = sample(tiny, found.pivots[:1], schedule, Conditioning(tiny.embed(PROMPT), found.unconditional, 1.0))
        errors.append((back - latent).square().mean().item())
    assert errors[1] < 0.5 * errors[0]


def test_null_text_reconstructs_where_ddim_drifts(tiny):
    latent, schedule, errors = random_latent(), tiny.schedule(STEPS), {}
    problem = InversionProblem(tiny, latent, PROMPT, schedule, 7.5)
    for name in ("ddim", "null-text"):
        found = METHODS[name](problem)
        back = sample(tiny, found.pivots[:1], schedule, Conditioning(tiny.embed(PROMPT), found.unconditional, 7.5))
        errors[name] = (back - latent).square().mean().item()
    assert errors["null-text"] < errors["ddim"]


def test_a_step_under_its_tolerance_costs_one_row_and_changes_nothing(model):
    problem = InversionProblem(model, random_latent(), PROMPT, model.schedule(STEPS), 7.5)
    with model.metered() as meter:
        found = null_text.invert(problem, NullTextSettings(tolerance=(1e9, 1e9)))
    own = model.embed(PROMPT).tokens
    assert all(torch.equal(row, own[0]) for row in found.unconditional.tokens)
    assert meter.forward_equivalents == 2 * STEPS + 1  # what the first noise is extrapolated from, up, the prompted row


def test_weights_get_no_gradient_and_embeddings_stay_float32(folders):
    from inversion.loading import load_model

    half = load_model(str(folders["epsilon"]), device="cpu", dtype="bfloat16")
    problem = InversionProblem(half, random_latent(), PROMPT, half.schedule(3), 7.5)
    found = null_text.invert(problem, NullTextSettings(inner_steps=2, tolerance=(0.0, 0.0)))
    assert found.unconditional.tokens.dtype == torch.float32
    assert torch.isfinite(found.unconditional.tokens).all()
    assert len(found.unconditional) == 3
    assert all(p.grad is None and not p.requires_grad for p in half.unet.parameters())


def test_the_textbooks_rates_and_tolerances_by_hand():
    assert TEXTBOOK.at(0, 50) == pytest.approx((1e-2, 1e-5))
    assert TEXTBOOK.at(10, 50) == pytest.approx((0.9e-2, 1e-5 + 10 * 2e-5))
    assert TEXTBOOK.at(49, 50) == pytest.approx((5.1e-3, 9.9e-4))


@given(st.integers(1, 1000), st.integers(0, 999))
def test_rates_stay_positive(steps, i):
    assert min(NullTextSettings().at(min(i, steps - 1), steps)) > 0


def test_the_textbook_steps_once_even_where_nothing_is_asked(model):
    """As the published code does: the loss is looked at before the step, and the step is taken all the same."""
    problem = InversionProblem(model, random_latent(), PROMPT, model.schedule(STEPS), 7.5)
    with model.metered() as meter:
        found = null_text.invert(problem, replace(TEXTBOOK, tolerance=(1e9, 1e9)))
    assert not torch.equal(found.unconditional.tokens[0], model.embed("").tokens[0])
    # Up; prompted row; a step with its gradient; the unprompted row once more.
    assert meter.forward_equivalents == pytest.approx(STEPS * (1 + 1 + 2.08 + 1))


def error_of(model, found, steps: int) -> float:
    """The mean squared error of the latent that sampling gives back."""
    kept = [ResidualCorrection(found.residuals)] if found.residuals is not None else []
    row = Conditioning(model.embed(PROMPT), found.unconditional, found.guidance_scale)
    back = sample(model, found.pivots[:1], model.schedule(steps), row, callbacks=kept)
    return (back - found.pivots[-1:]).square().mean().item()


@pytest.mark.parametrize("scale", [1.0, 7.5, 15.0])
def test_residuals_are_exact_at_any_scale(tiny, scale):
    found = residual.invert(InversionProblem(tiny, random_latent(), PROMPT, tiny.schedule(STEPS), scale))
    assert error_of(tiny, found, STEPS) < 1e-9


def test_residuals_are_added_after_their_step():
    values, latent = torch.arange(1.0, 4)[:, None, None, None].expand(3, 4, 2, 3), torch.zeros(1, 4, 2, 3)
    held = ResidualCorrection(values)
    assert torch.equal(held(latent, 0), latent)  # at the noise nothing was missed yet
    assert torch.equal(held(latent, 2), torch.full_like(latent, 2))


def test_a_step_down_undoes_a_step_up_along_the_same_noise(tiny):
    """The identity that a fixed point is: the noise at the noisier latent leads back to where it came from."""
    schedule, z, noise = tiny.schedule(STEPS), *(random_latent(k) for k in range(2))
    for i in range(STEPS):
        noisier = schedule.up_along(z, noise, i)
        clean = (noisier - (1 - schedule.alpha_from[i]) ** 0.5 * noise) / schedule.alpha_from[i] ** 0.5
        assert torch.allclose(ddim_step(clean, noise, schedule.alpha_to[i]), z, atol=1e-4)


def miss_of(model, pivots, schedule) -> float:
    """How far each step down from a pivot lands from the next, mean squared over all."""
    text = model.embed(PROMPT)
    with torch.no_grad():
        landed = [
            schedule.down(pivots[i : i + 1], model.predict(pivots[i : i + 1], t, [text]), i)
            for i, t in enumerate(schedule.timesteps)
        ]
    return (torch.cat(landed) - pivots[1:]).square().mean().item()


@both_parameterisations
def test_corrections_come_closer_to_the_fixed_point(tiny):
    """For one pass a step more than DDIM inversion has at its first, and each further one."""
    schedule, misses, costs = tiny.schedule(STEPS), [], []
    ways = [METHODS["negative-prompt"], *(functools.partial(fixed_point.invert, corrections=k) for k in (1, 2, 4))]
    for way in ways:
        with tiny.metered() as meter:
            found = way(InversionProblem(tiny, random_latent(), PROMPT, schedule, 7.5))
        misses.append(miss_of(tiny, found.pivots, schedule))
        costs.append(meter.forward_equivalents)
    assert misses == sorted(misses, reverse=True)
    assert misses[0] > 5 * misses[3]
    assert costs[:2] == [STEPS, STEPS + 1]
    assert costs[3] < 4 * STEPS  # it stops where it has settled


def test_what_optimisation_leaves_is_kept(model):
    """So little that it holds nothing of the picture, and enough that the photo comes back exactly."""
    found = null_text.invert(InversionProblem(model, random_latent(), PROMPT, model.schedule(20), 15.0))
    assert found.residuals.square().mean((1, 2, 3)).max() <= NullTextSettings().tolerance[0]
    assert error_of(model, found, 20) < 1e-9


@both_parameterisations
@pytest.mark.parametrize(("steps", "spacing"), [(5, "leading"), (7, "trailing")])
def test_nothing_diverges(tiny, steps, spacing, monkeypatch):
    """Any schedule, either parameterisation, guidance from none to twice the usual."""
    monkeypatch.setitem(tiny.scheduler.config, "timestep_spacing", spacing)
    latent, schedule = random_latent(height=8, width=8), tiny.schedule(steps)
    assert schedule.timesteps[0] > 900 - 1000 // steps
    few = functools.partial(null_text.invert, settings=NullTextSettings(inner_steps=1))
    methods = {"null-text": few, "fixed-point": METHODS["fixed-point"], "residual": METHODS["residual"]}
    for name, method in methods.items():  # the others walk as the last does
        for scale in (1.0, 15.0) if spacing == "leading" else (15.0,):
            found = method(InversionProblem(tiny, latent, PROMPT, schedule, scale))
            assert torch.isfinite(found.pivots).all(), name
            assert found.pivots.abs().max() < 100, name
            assert torch.isfinite(found.unconditional.tokens).all(), name
            if name == "residual":
                assert error_of(tiny, found, steps) < 1e-6


@pytest.mark.parametrize("method", ["null-text", "residual", "fixed-point"])
def test_plain_diffusers_gives_the_same_latents_to_the_bit(tiny, method):
    latent, schedule = random_latent(height=8, width=8), tiny.schedule(STEPS)
    found = METHODS[method](InversionProblem(tiny, latent, PROMPT, schedule, 7.5))
    kept = [ResidualCorrection(found.residuals)] if found.residuals is not None else []
    ours = sample(
        tiny, found.pivots[:1], schedule, Conditioning(tiny.embed(PROMPT), found.unconditional, 7.5), callbacks=kept
    )
    made = plain_pipeline(tiny)(**pipeline_arguments(tiny, found, PROMPT), output_type="latent")
    assert torch.equal(made.images, ours)


def test_command_line_knows_every_name():
    assert tuple(METHODS) == METHOD_NAMES
    assert tuple(m.value for m in Memory) == MEMORY_NAMES
