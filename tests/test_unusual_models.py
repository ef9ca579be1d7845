"""Unusual but sound models run as diffusers runs them, to the last bit."""

import functools
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
)

from inversion import null_text
from inversion.errors import ModelError, RealEditError, StepsError
from inversion.loading import load_model, plain_pipeline
from inversion.methods import METHODS
from inversion.model import DiffusionModel
from inversion.null_text import NullTextSettings
from inversion.pipeline import pipeline_arguments
from inversion.problem import InversionProblem, Inverted
from inversion.record import record
from realedit.sampling.latent_blending import LatentPath, noised_composite
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from tests.test_broken_models import SAMPLER, configured
from tests.tiny_models import PROMPT, random_latent

STEPS = 4
ZERO_SNR = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
pytestmark = pytest.mark.filterwarnings("ignore")

SAMPLERS: dict[str, tuple[str, dict[str, object]]] = {
    "final alpha 1": ("epsilon", {"set_alpha_to_one": True}),
    "final alpha not written": ("epsilon", {"set_alpha_to_one": ...}),
    "final alpha 1 of v": ("v_prediction", {"set_alpha_to_one": ...}),
    "trailing": ("epsilon", {"timestep_spacing": "trailing"}),
    "trailing to alpha 1": ("v_prediction", {"timestep_spacing": "trailing", "set_alpha_to_one": True}),
    "linspace": ("epsilon", {"timestep_spacing": "linspace"}),
    "zero SNR": ("v_prediction", ZERO_SNR),
    "zero SNR to alpha 1": ("v_prediction", ZERO_SNR | {"set_alpha_to_one": True}),
    "zero SNR that is not reached": ("epsilon", {"rescale_betas_zero_snr": True}),
    "linear": ("epsilon", {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}),
    "cosine": ("epsilon", {"beta_schedule": "squaredcos_cap_v2"}),
    "a list": ("epsilon", {"trained_betas": [0.004 + 0.00001 * k for k in range(1000)]}),
    "as many training steps as steps": ("epsilon", {"num_train_timesteps": 5, "beta_end": 0.5, "steps_offset": 0}),
    "nothing but its name": ("epsilon", {**dict.fromkeys(("beta_start", "beta_end", "steps_offset"), ...)}),
    "clipping, as old files say": ("epsilon", {"clip_sample": True}),
    "an offset of 0": ("epsilon", {"steps_offset": 0}),
    "an offset of 0 of SDXL": ("xl", {"steps_offset": 0, "_class_name": "DDIMScheduler", "clip_sample": False}),
}


def changed(folder: Path, target: Path, file: str, **fields: object) -> Path:
    shutil.copytree(folder, target)
    configured(file, **fields)(target)
    return target


def of_diffusers(folder: Path) -> StableDiffusionPipeline | StableDiffusionXLPipeline:
    kind = StableDiffusionXLPipeline if (folder / "text_encoder_2").is_dir() else StableDiffusionPipeline
    pipe = kind.from_pretrained(folder)
    if type(pipe.scheduler) is not DDIMScheduler:
        pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def sampled(model: DiffusionModel, pipe: object, output: str = "latent") -> tuple[torch.Tensor, torch.Tensor]:
    """The same run here and in a pipeline of diffusers."""
    z = random_latent(height=8, width=12)
    rows = Conditioning.plain(model, PROMPT, STEPS, 5.0)
    ours = sample(model, z, model.schedule(STEPS), rows)
    arguments = pipeline_arguments(model, Inverted(z, rows.unconditional, 5.0), PROMPT)
    theirs = pipe(**arguments, output_type=output).images
    return ours if output == "latent" else model.decode(ours), theirs


@pytest.mark.parametrize("name", SAMPLERS)
def test_sampling_is_that_of_diffusers(folders, tmp_path, name):
    kind, fields = SAMPLERS[name]
    folder = changed(folders[kind], tmp_path / "m", SAMPLER, **fields)
    if name == "as many training steps as steps":
        configured(SAMPLER, num_train_timesteps=6)(folder)  # one for the offset that the pipeline adds
    model = load_model(str(folder), device="cpu")
    ours, theirs = sampled(model, of_diffusers(folder))
    assert torch.equal(ours, theirs)
    assert torch.isfinite(ours).all()
    if "offset" in name or name == "nothing but its name":  # which a pipeline of diffusers would set otherwise
        assert torch.equal(sampled(model, plain_pipeline(model))[1], ours)


@pytest.mark.parametrize("name", [name for name, (_, fields) in SAMPLERS.items() if "alpha" in name or "SNR" in name])
def test_inversion_is_finite_where_a_level_is_0_or_1(folders, tmp_path, name):
    kind, fields = SAMPLERS[name]
    model = load_model(str(changed(folders[kind], tmp_path / "m", SAMPLER, **fields)), device="cpu")
    schedule, latent = model.schedule(STEPS), random_latent()
    once = functools.partial(null_text.invert, settings=NullTextSettings(inner_steps=1))
    for method in (METHODS | {"null-text": once}).values():
        found = method(InversionProblem(model, latent, PROMPT, schedule, 3.0))
        assert torch.isfinite(found.pivots).all()
        assert torch.equal(found.pivots[-1:], latent)
    hole = torch.zeros(1, 1, 8, 12)
    hole[..., 2:5, 3:7] = 1
    levels = noised_composite(LatentPath(found.pivots, latent, schedule), latent + hole, hole, seed=1)
    assert torch.isfinite(levels).all()
    if schedule.alpha_to[-1] == 1:  # without noise the composite is itself
        torch.testing.assert_close(levels[-1:], latent + hole)
    outside = (hole == 0).expand_as(latent)
    assert torch.equal(levels[-1:][outside], latent[outside])


def test_levels_that_ddim_does_not_know_are_those_of_their_own_sampler(folders, tmp_path):
    """A sigmoid is known to DDPM alone."""
    fields = {"_class_name": "DDPMScheduler", "beta_schedule": "sigmoid", "variance_type": "fixed_small"}
    folder = changed(folders["epsilon"], tmp_path / "m", SAMPLER, **fields)
    schedule = load_model(str(folder), device="cpu").schedule(10)
    levels = DDPMScheduler.from_pretrained(folder, subfolder="scheduler").alphas_cumprod
    assert torch.equal(schedule.alpha_from, levels[list(schedule.timesteps)])
    assert levels[1] - levels[500] > 0.1


def test_more_steps_than_were_trained_are_refused(folders, tmp_path):
    folder = changed(folders["epsilon"], tmp_path / "m", SAMPLER, num_train_timesteps=20)
    model = load_model(str(folder), device="cpu")
    assert model.most_steps == 19
    with pytest.raises(StepsError, match=r"between 1 and 20, the training steps of .*, not 50"):
        model.schedule(50)
    with pytest.raises(StepsError, match="cannot be spaced in 20 steps"):  # the offset leads beyond the last
        model.schedule(20)
    assert len(model.schedule(19)) == 19


def test_steps_that_trailing_spacing_rounds_to_others_are_refused(model):
    config = {**model.scheduler.config, "timestep_spacing": "trailing"}
    trailing = model.with_parts(replace(model.parts, scheduler=DDIMScheduler.from_config(config)))
    trailing.scheduler.set_timesteps(61)
    assert trailing.scheduler.timesteps[-1] == -1  # what diffusers makes of it
    with pytest.raises(StepsError, match="cannot be spaced in 61 steps; take one less"):
        trailing.schedule(61)
    assert len(trailing.schedule(60)) == 60


def test_noise_that_says_nothing_of_the_picture_is_refused(folders, tmp_path):
    """From pure noise a network that predicts the noise leads diffusers to not-a-number."""
    folder = changed(folders["epsilon"], tmp_path / "m", SAMPLER, **ZERO_SNR)
    model = load_model(str(folder), device="cpu")
    with pytest.raises(ModelError, match="begins at pure noise"):
        model.schedule(STEPS)
    scheduler = DDIMScheduler.from_pretrained(folder, subfolder="scheduler")
    scheduler.set_timesteps(STEPS)
    z = random_latent()
    assert not torch.isfinite(scheduler.step(z, scheduler.timesteps[0], z).prev_sample).all()


MOMENTS = {"latents_mean": [-1.6, 0.4, 2.0, 0.1], "latents_std": [8.4, 0.5, 3.1, 1.9]}


@pytest.mark.parametrize("kind", ["epsilon", "xl"])
def test_latents_with_a_mean_and_deviation_are_those_of_the_pipeline(folders, tmp_path, kind):
    """SDXL's pipeline uses them, that of Stable Diffusion 1.x does not."""
    folder = changed(folders[kind], tmp_path / "m", "vae/config.json", **MOMENTS)
    model, plain = load_model(str(folder), device="cpu"), load_model(str(folders[kind]), device="cpu")
    ours, theirs = sampled(model, of_diffusers(folder), output="pt")
    assert torch.equal(ours, theirs)
    photo = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(2))
    latent = model.encode(photo)
    assert torch.equal(latent, plain.encode(photo)) == (kind == "epsilon")
    torch.testing.assert_close(model.decode(latent), plain.decode(plain.encode(photo)), atol=1e-5, rtol=1e-5)
    if kind == "xl":
        pipe = StableDiffusionXLImg2ImgPipeline.from_pretrained(folder, add_watermarker=False)
        mean = pipe.vae.encode(photo * 2 - 1).latent_dist.mode()
        pipe.vae.encode = lambda picture: SimpleNamespace(latents=mean)  # the mean, where the pipeline would draw
        asked = {"image": photo, "timestep": None, "batch_size": 1, "num_images_per_prompt": 1, "add_noise": False}
        assert torch.equal(latent, pipe.prepare_latents(**asked, dtype=torch.float32, device="cpu"))


def test_finite_weights_that_overflow_end_in_one_line(folders, tmp_path):
    """What is not finite reaches neither a picture nor a reference."""
    from tests.test_broken_models import UNET, VAE, weighed

    folder = shutil.copytree(folders["epsilon"], tmp_path / "m")
    weighed(UNET, lambda t: t["conv_out.weight"].fill_(3e38))(folder)
    weighed(VAE, lambda t: t["decoder.conv_out.weight"].fill_(3e38))(folder)
    model = load_model(str(folder), device="cpu")
    schedule = model.schedule(STEPS)
    with pytest.raises(RealEditError, match=r"autoencoder of .* gave no finite numbers"):
        model.decode(random_latent())
    for method in METHODS:
        found = METHODS[method](InversionProblem(model, random_latent(), PROMPT, schedule, 3.0))
        with pytest.raises(RealEditError, match="gave no finite numbers"):
            record(model, found, PROMPT, schedule, method)


def test_a_size_of_two_sides_is_that_of_the_shorter(folders, tmp_path):
    folder = changed(folders["epsilon"], tmp_path / "m", "unet/config.json", sample_size=[24, 16])
    assert load_model(str(folder), device="cpu").native_size == 32


def test_the_index_says_whether_an_empty_prompt_is_zero(folders, tmp_path):
    folder = changed(folders["xl"], tmp_path / "m", "model_index.json", force_zeros_for_empty_prompt=False)
    assert not load_model(str(folder), device="cpu").texts.empty_is_zero
    assert json.loads((folders["xl"] / "model_index.json").read_text())["force_zeros_for_empty_prompt"]
    assert load_model(str(folders["xl"]), device="cpu").texts.empty_is_zero
