"""The systems as values of the one loop: each is diffusers' own where diffusers has it, and what its paper says."""

import itertools
from dataclasses import replace

import pytest
import torch
from diffusers import DDIMScheduler, RePaintScheduler, StableDiffusionImg2ImgPipeline

from inversion.errors import EditError
from inversion.schedule import Parameterisation, Schedule
from realedit.engines import RePaint, SDEdit
from realedit.methods.repaint import jump_walk, repaint
from realedit.methods.sampler_run import Task
from realedit.methods.sdedit import sdedit
from realedit.sampling.session import Session
from realedit.sampling.stepping import DdimSteps
from realedit.settings import Settings
from tests.conftest import CAPTIONS, PROMPT, random_latent

STEPS, SEED = 6, 3
HEIGHT, WIDTH = 16, 24  # of a picture: 8 by 12 cells


def task_of(model, words=PROMPT, free=None, steps=STEPS):
    image = torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    everywhere = torch.ones(1, 1, HEIGHT, WIDTH)
    session = Session(model, Settings(steps=steps, seed=SEED, method="ddim"))
    return Task(session, image, PROMPT, words, everywhere if free is None else free)


def right_half():
    free = torch.zeros(1, 1, HEIGHT, WIDTH)
    free[..., WIDTH // 2 :] = 1
    return free


class TestSDEdit:
    @pytest.mark.parametrize("eta", [0.0, 1.0])
    @pytest.mark.parametrize("kind", ["epsilon", "v_prediction"], indirect=True)
    def test_once_it_is_the_image_to_image_pipeline(self, pipe, tiny, eta):
        task = task_of(tiny)
        engine = SDEdit(strength=0.7, repeats=1, eta=eta, guidance_scale=4.0)
        ours = sdedit(task, engine).latent(task.session)
        scheduler = DDIMScheduler.from_config(pipe.scheduler.config, clip_sample=False)
        parts = {**pipe.components, "scheduler": scheduler}
        theirs = StableDiffusionImg2ImgPipeline(**parts, requires_safety_checker=False)
        theirs.set_progress_bar_config(disable=True)
        wanted = theirs(
            PROMPT,
            image=task.latent,
            strength=0.7,
            num_inference_steps=STEPS,
            guidance_scale=4.0,
            eta=eta,
            generator=torch.Generator().manual_seed(SEED),
            output_type="latent",
        ).images
        torch.testing.assert_close(ours, wanted, atol=1e-5, rtol=1e-5)

    def test_what_is_held_is_the_photo_and_each_repeat_costs_as_much(self, model):
        task = task_of(model, CAPTIONS[1], right_half())
        with model.metered() as meter:
            found = sdedit(task, SDEdit(strength=0.5, repeats=2)).latent(task.session)
        assert meter.forward_equivalents == 2 * 2 * STEPS // 2
        half = found.shape[-1] // 2
        assert torch.equal(found[..., :half], task.latent[..., :half])
        assert not torch.equal(found[..., half:], task.latent[..., half:])

    def test_the_more_strength_the_farther_from_the_photo(self, model):
        task = task_of(model)
        far = [
            float((sdedit(task, SDEdit(strength=s, repeats=1, eta=0)).latent(task.session) - task.latent).norm())
            for s in (0.2, 0.5, 1.0)
        ]
        assert far == sorted(far)

    def test_a_strength_without_a_step_is_refused(self, model):
        with pytest.raises(EditError, match=r"a strength of 0\.1 leaves none of 6 steps"):
            sdedit(task_of(model), SDEdit(strength=0.1))


def scheduled_walk(steps, jump, repeats):
    """The levels that diffusers' scheduler goes through."""
    scheduler = RePaintScheduler()
    scheduler.set_timesteps(steps, jump, repeats)
    levels, before = [0], steps
    for t in (int(t) // (1000 // steps) for t in scheduler.timesteps):
        levels.append(levels[-1] + (1 if t < before else -1))
        before = t
    return tuple(levels)


class TestRePaint:
    @pytest.mark.parametrize(
        ("steps", "jump", "repeats", "drawn"),
        [(250, 10, 10, 2410), (50, 10, 10, 410), (50, 5, 3, 140), (7, 2, 3, 19), (5, 5, 2, 5), (4, 1, 1, 4)],
    )
    def test_the_walk_is_that_of_diffusers(self, steps, jump, repeats, drawn):
        walk = jump_walk(steps, jump, repeats)
        assert walk == scheduled_walk(steps, jump, repeats)
        assert sum(b > a for a, b in itertools.pairwise(walk)) == drawn

    def test_a_step_is_that_of_diffusers_where_nothing_is_known(self):
        scheduler = RePaintScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False
        )
        scheduler.set_timesteps(10, 1, 1)
        times = tuple(int(t) for t in scheduler.timesteps)
        alphas = scheduler.alphas_cumprod
        nexts = torch.stack([alphas[t] if t >= 0 else torch.tensor(1.0) for t in (*times[1:], -1)])
        schedule = Schedule(times, alphas[list(times)], nexts, Parameterisation.EPSILON)
        z, noise, unknown = random_latent(1), random_latent(2), torch.zeros(1, 1, 8, 12)
        scheduler.eta = 1.0
        for i, t in enumerate(times[:-1]):
            theirs = scheduler.step(noise, t, z, z, unknown, torch.Generator().manual_seed(5)).prev_sample
            ours = DdimSteps.seeded(1.0, 5).down(schedule, z, noise, i)
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)

    def test_what_is_known_is_exact_and_what_was_in_the_hole_is_not_looked_at(self, model):
        task = task_of(model, free=right_half())
        engine = RePaint(jump=2, repeats=2)
        found = repaint(task, engine).latent(task.session)
        half = found.shape[-1] // 2
        assert torch.equal(found[..., :half], task.latent[..., :half])
        other = replace(task, image=task.image)
        spoilt = task.latent.clone()
        spoilt[..., half:] = 7.0
        vars(other)["latent"] = spoilt
        assert torch.equal(repaint(other, engine).latent(other.session), found)

    def test_the_seed_alone_decides(self, model):
        first = repaint(task_of(model, free=right_half()), RePaint(jump=2, repeats=2))
        again = repaint(task_of(model, free=right_half()), RePaint(jump=2, repeats=2))
        session = task_of(model).session
        assert torch.equal(first.latent(session), again.latent(session))
