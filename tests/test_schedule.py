"""The DDIM step and the schedule, against diffusers and against hand-computed values."""

from dataclasses import replace

import pytest
import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler

from inversion.schedule import Parameterisation, ddim_step
from tests.tiny_models import random_latent


def test_step_by_hand():
    clean, noise = torch.tensor([2.0]), torch.tensor([1.0])
    assert ddim_step(clean, noise, torch.tensor(0.36)).item() == pytest.approx(0.6 * 2 + 0.8 * 1)


@pytest.mark.parametrize("parameterisation", list(Parameterisation))
def test_split_undoes_mixing(parameterisation):
    clean, noise, ab = random_latent(1).double(), random_latent(2).double(), torch.tensor(0.3, dtype=torch.float64)
    z = ddim_step(clean, noise, ab)
    output = noise if parameterisation is Parameterisation.EPSILON else ab**0.5 * noise - (1 - ab) ** 0.5 * clean
    found_clean, found_noise = parameterisation.split(output, z, ab)
    torch.testing.assert_close(found_clean, clean)
    torch.testing.assert_close(found_noise, noise)


@pytest.mark.parametrize("parameterisation", list(Parameterisation))
def test_noise_shift_changes_the_noise_by_that_much(parameterisation):
    z, output, shift = random_latent(1).double(), random_latent(2).double(), random_latent(3).double()
    ab = torch.tensor(0.4, dtype=torch.float64)
    _, before = parameterisation.split(output, z, ab)
    _, after = parameterisation.split(output + parameterisation.from_noise_shift(shift, ab), z, ab)
    torch.testing.assert_close(after - before, shift)


def test_there_and_back_is_exact(tiny):
    schedule = tiny.schedule(10)
    z, output = random_latent().double(), random_latent(5).double()
    for i in range(len(schedule)):
        clean, noise = schedule.parameterisation.split(output, z, schedule.alpha_from[i])
        down = schedule.down(z, output, i)
        torch.testing.assert_close(ddim_step(clean, noise, schedule.alpha_to[i]), down)
        torch.testing.assert_close(ddim_step(clean, noise, schedule.alpha_from[i]), z, atol=2e-7, rtol=1e-6)


@pytest.mark.parametrize("steps", [1, 7, 20, 50])
@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_both_directions_are_diffusers_to_the_bit(model, steps, spacing, prediction):
    config = dict(model.scheduler.config) | {"timestep_spacing": spacing, "prediction_type": prediction}
    changed = model.with_parts(replace(model.parts, scheduler=DDIMScheduler.from_config(config)))
    schedule = changed.schedule(steps)
    down, up = DDIMScheduler.from_config(config), DDIMInverseScheduler.from_config(config)
    down.set_timesteps(steps)
    up.set_timesteps(steps)
    z, output = random_latent().double(), random_latent(1).double()
    assert schedule.timesteps == tuple(down.timesteps.tolist()) == tuple(reversed(up.timesteps.tolist()))
    for i, t in enumerate(schedule.timesteps):
        assert torch.equal(schedule.down(z, output, i), down.step(output, t, z).prev_sample)
        assert torch.equal(schedule.up(z, output, i), up.step(output, t, z).prev_sample)


@pytest.mark.parametrize("steps", [0, 1001])
def test_impossible_step_counts_are_refused(model, steps):
    with pytest.raises(ValueError, match="between 1 and 1000"):
        model.schedule(steps)
