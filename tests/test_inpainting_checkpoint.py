"""Inpainting checkpoints: tiny random ones of each family, in diffusers' own layout."""

import json
import shutil

import pytest
import torch
from diffusers import StableDiffusionInpaintPipeline
from safetensors.torch import load_file, save_file

from inversion.errors import EditError, ModelError
from realedit.inpainting.filler import GivenFill, PromptedFiller, load_filler
from realedit.settings import Settings
from tests.tiny_inpainting import tiny_inpainting_pipeline

FEW = Settings(steps=3, guidance_scale=4.0, seed=5)
PROMPT = "a photo of a wooden table"


@pytest.fixture(scope="module")
def inpainting(pipelines, tmp_path_factory):
    """A folder of every kind."""
    root = tmp_path_factory.mktemp("inpainting")
    for name, pipe in pipelines.items():
        tiny_inpainting_pipeline(pipe).save_pretrained(root / name)
    return root


@pytest.fixture(params=["epsilon", "v_prediction", "xl"])
def folder(request, inpainting):
    return inpainting / request.param


def photo_of(height, width):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def box(height, width, top, bottom, left, right):
    mask = torch.zeros(1, 1, height, width)
    mask[..., top:bottom, left:right] = 1
    return mask


def loaded(folder, prompt=PROMPT, settings=FEW, on_step=lambda step: None):
    filler = load_filler(GivenFill(str(folder)), "cpu", offline=True)
    assert isinstance(filler, PromptedFiller)
    return filler.with_prompt(prompt, settings, on_step)


def test_the_hole_is_drawn_by_seed_and_prompt_and_the_rest_keeps_its_bits(folder):
    steps = []
    fill = loaded(folder, on_step=steps.append)
    photo, hole, none = photo_of(70, 110), box(70, 110, 20, 55, 40, 77), torch.zeros(1, 1, 70, 110)
    before = photo.clone()
    filled = fill(photo, hole, none)
    assert steps == [0, 1, 2]
    assert torch.equal(photo, before)
    inside = (hole > 0).expand_as(photo)
    assert torch.equal(filled[~inside], photo[~inside])
    assert (filled[inside] - photo[inside]).abs().mean() > 0.05
    assert filled.min() >= 0
    assert filled.max() <= 1
    assert torch.equal(fill(photo, hole, none), filled)
    other_seed = fill.with_prompt(PROMPT, Settings(steps=3, guidance_scale=4.0, seed=6), steps.append)
    other_words = fill.with_prompt("a cat on a bench", FEW, steps.append)
    for other in (other_seed, other_words):
        assert not torch.equal(other(photo, hole, none)[inside], filled[inside])


def test_at_its_native_size_it_is_diffusers_own_result(inpainting):
    """A hole of whole cells in a photo that needs no resampling."""
    folder = inpainting / "epsilon"
    photo, hole = photo_of(32, 32), box(32, 32, 8, 24, 4, 20)
    filled = loaded(folder)(photo, hole, torch.zeros_like(hole))
    pipe = StableDiffusionInpaintPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    drawn = pipe(
        PROMPT,
        image=photo,
        mask_image=hole,
        height=32,
        width=32,
        num_inference_steps=3,
        guidance_scale=4.0,
        generator=torch.Generator().manual_seed(5),
        output_type="pt",
    ).images
    assert torch.allclose(filled, torch.where(hole > 0.5, drawn, photo), atol=1e-5)


@pytest.mark.parametrize("size", [(40, 64), (96, 50)])
@pytest.mark.parametrize("small", [True, False])
def test_nothing_of_the_hole_and_of_other_objects_is_gone_by(inpainting, size, small):
    """The image is resampled before the model sees it, but never with their colours."""
    fill = loaded(inpainting / "xl")
    height, width = size
    hole = box(*size, 12, 14, 20, 23) if small else box(*size, 0, height - 10, 0, width - 12)
    others, photo = box(*size, 5, 30, 25, 35), photo_of(*size)
    painted = torch.where((hole + others) > 0, 1 - photo, photo)
    inside = (hole > 0).expand_as(photo)
    assert torch.equal(fill(photo, hole, others)[inside], fill(painted, hole, others)[inside])


def test_nothing_but_hole_is_refused(inpainting):
    with pytest.raises(EditError, match="take up the whole photo"):
        loaded(inpainting / "epsilon")(photo_of(40, 60), torch.ones(1, 1, 40, 60), torch.zeros(1, 1, 40, 60))


def refused(folder):
    with pytest.raises(ModelError) as error:
        load_filler(GivenFill(str(folder)), "cpu", offline=True)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 3
    return str(error.value)


@pytest.mark.parametrize("kind", ["epsilon", "xl"])
def test_a_text_to_image_model_is_refused_with_what_to_give(folders, kind):
    assert "is a text-to-image model, whose U-Net takes 4 channels and not 9; give an inpainting" in refused(
        folders[kind]
    )


def changed(folder, target, file, **fields):
    """A copy of a model with other fields in one configuration."""
    shutil.copytree(folder, target)
    path = target / file
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    return target


def test_what_is_no_inpainting_checkpoint_is_refused(inpainting, tmp_path):
    folder = inpainting / "epsilon"
    eight = changed(folder, tmp_path / "eight", "unet/config.json", in_channels=8)
    assert "has a U-Net with 8 input channels, expected 9" in refused(eight)
    flow = changed(folder, tmp_path / "flow", "model_index.json", transformer=["diffusers", "FluxTransformer2DModel"])
    assert "whose network is a transformer" in refused(flow)
    distilled = changed(folder, tmp_path / "lcm", "unet/config.json", time_cond_proj_dim=256)
    assert "takes the guidance scale as an input" in refused(distilled)
    narrow = changed(folder, tmp_path / "narrow", "unet/config.json", cross_attention_dim=768)
    assert "expects text of width 768" in refused(narrow)
    unsized = changed(folder, tmp_path / "unsized", "unet/config.json", sample_size=None)
    assert "sample_size is None in unet/config.json" in refused(unsized)
    infinite = shutil.copytree(folder, tmp_path / "infinite")
    tensors = load_file(infinite / "unet" / "diffusion_pytorch_model.safetensors")
    tensors["conv_in.weight"][0] = float("inf")
    save_file(tensors, infinite / "unet" / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    assert "the weights of its unet hold infinite numbers" in refused(infinite)
    wordless = shutil.copytree(folder, tmp_path / "wordless")
    (wordless / "tokenizer" / "tokenizer.json").unlink()
    assert "no whole vocabulary of its tokenizer" in refused(wordless)
    cut = shutil.copytree(folder, tmp_path / "cut")
    weights = cut / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    assert "could not be loaded from" in refused(cut)
    weights.unlink()
    assert "has no weights of its unet" in refused(cut)
    (cut / "vae" / "config.json").unlink()
    assert "config.json is missing in" in refused(cut)
