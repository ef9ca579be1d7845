"""Guidance in plain diffusers pipelines: the energies of our own taps, the sampler's latents, an object that moves."""

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
)

from inversion.errors import RealEditError
from inversion.loading import model_of, plain_pipeline
from inversion.model import DiffusionModel
from inversion.taps import tap
from realedit.sampling.energies import CentroidEnergy
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.sampling.step_callback import StepCallback, noise_coefficient
from realedit.settings import Strength
from tests.colours import RED, colour_centre
from tests.tiny_models import PROMPT, random_latent, tiny_pipeline

NO_STRENGTH = Strength(0.0, 0.0, 0.0)
MOVED = "a photo of a red ball on a wooden table"
MOVE_STEPS = 10


@pytest.fixture
def ddim(pipe):
    """The pipeline of every family, with the scheduler that the callback needs."""
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    return pipe


def start(seed: int = 0) -> torch.Tensor:
    return random_latent(seed, 8, 12)


def centroid_energy(model: DiffusionModel, words: tuple[int, ...], target: tuple[float, float], steps: int):
    return CentroidEnergy(words, {n: torch.tensor(target).expand(steps, len(words), 2) for n in model.sites.attention})


def guidance_of(model: DiffusionModel, steps: int, **changes) -> Guidance:
    """Moves the attention of a word of the tiny models, at every step."""
    values = {
        "energy": centroid_energy(model, (6,), (0.2, 0.4), steps),
        "region": torch.ones(1, 1, 8, 12),
        "strength": Strength(0.4, 0.05, 1.0),
        "tolerance": 0.0,
        "guided": GuidedSteps(0.0, 1.0, 1),
    }
    return Guidance(**(values | changes))


def callback_of(model: DiffusionModel, steps: int, rule, prompt: str = PROMPT) -> StepCallback:
    return StepCallback(model, model.schedule(steps), model.embed(prompt), rule)


def drawn(pipe, z: torch.Tensor, steps: int, callback=None, *, prompt: str = PROMPT, output_type: str = "latent"):
    """What a pipeline draws from a start latent, at guidance scale 5."""
    return pipe(
        prompt,
        latents=z.clone(),
        height=z.shape[-2] * pipe.vae_scale_factor,
        width=z.shape[-1] * pipe.vae_scale_factor,
        num_inference_steps=steps,
        guidance_scale=5.0,
        output_type=output_type,
        callback_on_step_end=callback,
    ).images


class Watched:
    """A callback of which the latents are kept, by the step before which they are."""

    def __init__(self, callback: StepCallback) -> None:
        self.callback, self.seen = callback, {}

    def __call__(self, pipe, step_index, timestep, kwargs):
        changed = self.callback(pipe, step_index, timestep, kwargs)
        self.seen[self.callback.schedule.timesteps.index(int(timestep)) + 1] = changed["latents"]
        return changed

    def measured_again(self, other: DiffusionModel) -> dict[float, float]:
        """What our own taps read of another model's networks at the same latents and timesteps."""
        schedule, energies = self.callback.schedule, {}
        for i, z in self.seen.items():
            if i < len(schedule):
                with torch.no_grad(), tap(other.unet, other.sites) as tape:
                    other.predict(z, schedule.timesteps[i], [other.embed(PROMPT)])
                energies[i / len(schedule)] = self.callback.rule.energy(tape, i).item()
        return energies


def test_energies_are_those_of_our_own_taps(ddim, tiny):
    """Of the same weights in other networks: the pipeline's, and a model loaded from the same files."""
    model, steps = model_of(ddim), 4
    guidance = guidance_of(model, steps)
    watched = Watched(callback_of(model, steps, guidance))
    drawn(ddim, start(), steps, watched)
    again = watched.measured_again(tiny)
    assert list(again) == [i / steps for i in range(1, steps)]
    assert {m.done: m.energy for m in guidance.history} == pytest.approx(again, abs=1e-6)


def test_image_to_image_begins_later(model):
    """At the fourth of six steps, whose timestep and energy are meant."""
    pipe = StableDiffusionImg2ImgPipeline(**plain_pipeline(model).components, requires_safety_checker=False)
    guidance = guidance_of(model, 6, region=torch.ones(1, 1, 16, 16))
    watched = Watched(callback_of(model, 6, guidance))
    pipe(PROMPT, image=torch.rand(1, 3, 32, 32), strength=0.5, num_inference_steps=6, callback_on_step_end=watched)
    again = watched.measured_again(model)
    assert list(again) == [4 / 6, 5 / 6]
    assert {m.done: m.energy for m in guidance.history} == pytest.approx(again, abs=1e-6)


@pytest.mark.parametrize("from_noise", [False, True])
def test_it_is_the_sampler(ddim, from_noise):
    """Without the noise read beforehand, the sampler guided from the second step on."""
    model, steps, z = model_of(ddim), 4, start(3)
    guided = GuidedSteps(0.0 if from_noise else 1 / steps, 1.0, 1)
    ours, theirs = (guidance_of(model, steps, guided=guided) for _ in range(2))
    callback = callback_of(model, steps, theirs)
    if from_noise:
        callback.read(z, 0)
    latent = drawn(ddim, z, steps, callback)
    rows = Conditioning.plain(model, PROMPT, steps, 5.0)
    expected = sample(model, z, model.schedule(steps), rows, guidance=ours)
    assert len(theirs.history) == steps - (not from_noise)
    torch.testing.assert_close(latent, expected, atol=1e-4, rtol=1e-4)
    assert (latent - sample(model, z, model.schedule(steps), rows)).abs().max() > 0.1


def test_pure_noise_cannot_be_guided():
    """With a terminal signal-to-noise ratio of zero, nothing is added at step 0, as in the sampler."""
    pipe, z = tiny_pipeline("v_prediction", linear=True), start(3)
    pipe.scheduler = DDIMScheduler.from_config(
        pipe.scheduler.config, rescale_betas_zero_snr=True, timestep_spacing="trailing"
    )
    model = model_of(pipe)
    assert model.schedule(4).alpha_from[0] == 0
    results = []
    for until in (0.2, 1.0):
        callback = callback_of(model, 4, guidance_of(model, 4, guided=GuidedSteps(0.0, until, 1)))
        callback.read(z, 0)
        results.append(drawn(pipe, z, 4, callback))
    assert torch.equal(results[0], drawn(pipe, z, 4))
    assert torch.isfinite(results[1]).all()
    assert not torch.equal(results[0], results[1])


def test_noise_coefficient_by_hand():
    """ab from 0.36 to 0.64: 0.6 - sqrt(0.64 * 0.64 / 0.36) = 0.6 - 0.8 * 0.8 / 0.6."""
    assert noise_coefficient(torch.tensor(0.36), torch.tensor(0.64)).item() == pytest.approx(0.6 - 0.64 / 0.6, abs=1e-6)
    assert noise_coefficient(torch.tensor(0.5), torch.tensor(0.5)).item() == 0


@pytest.mark.parametrize("changes", [{"strength": NO_STRENGTH}, {"tolerance": 10.0}], ids=["strength", "satisfied"])
def test_no_strength_and_a_satisfied_energy_change_no_bit(ddim, changes):
    model, z = model_of(ddim), start()
    guidance = guidance_of(model, 4, **changes)
    callback = callback_of(model, 4, guidance)
    callback.read(z, 0)
    assert torch.equal(drawn(ddim, z, 4, callback, output_type="pt"), drawn(ddim, z, 4, output_type="pt"))
    assert len(guidance.history) == 4


NOT_LINEAR = {
    "clipped": lambda config: DDIMScheduler.from_config(config, clip_sample=True),
    "thresholded": lambda config: DDIMScheduler.from_config(config, thresholding=True),
    "not DDIM": DPMSolverMultistepScheduler.from_config,
}


@pytest.mark.parametrize("name", NOT_LINEAR)
def test_samplers_of_which_the_noise_is_not_read_off_are_refused(model, name):
    pipe = plain_pipeline(model)
    pipe.scheduler = NOT_LINEAR[name](pipe.scheduler.config)
    with pytest.raises(RealEditError, match="needs a DDIMScheduler"):
        drawn(pipe, start(), 4, callback_of(model, 4, guidance_of(model, 4)))


def test_other_steps_and_several_pictures_are_refused(model):
    pipe, callback = plain_pipeline(model), callback_of(model, 4, guidance_of(model, 4))
    with pytest.raises(RealEditError, match="5 steps are not the 4"):
        drawn(pipe, start(), 5, callback)
    with pytest.raises(RealEditError, match="not 2"):
        pipe(PROMPT, num_images_per_prompt=2, num_inference_steps=4, callback_on_step_end=callback)


def red_x(picture: torch.Tensor) -> float:
    return colour_centre(picture, RED)[0].item()


def test_an_object_of_a_plain_pipeline_moves(tabletop):
    """By its pixels, from about halfway in the picture without guidance; to the other side, that of a document's
    example does in `test_readme.py`."""
    pipe, z = plain_pipeline(tabletop), random_latent(1, 32, 32)
    assert type(pipe) is StableDiffusionPipeline
    guidance = guidance_of(
        tabletop,
        MOVE_STEPS,
        energy=centroid_energy(tabletop, tabletop.positions(MOVED, "red ball"), (0.7, 0.5), MOVE_STEPS),
        region=torch.ones(1, 1, 32, 32),
    )
    callback = callback_of(tabletop, MOVE_STEPS, guidance, MOVED)
    callback.read(z, 0)
    free = drawn(pipe, z, MOVE_STEPS, prompt=MOVED, output_type="pt")
    moved = drawn(pipe, z, MOVE_STEPS, callback, prompt=MOVED, output_type="pt")
    assert guidance.history[-1].energy < 0.5 * guidance.history[0].energy
    assert 0.4 < red_x(free) < 0.6
    assert red_x(moved) == pytest.approx(0.7, abs=0.06)
