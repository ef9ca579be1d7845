"""The bundled checkpoint and photos: size, layout, and the numbers that edits live on."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel

from realedit.files.reading import load_photo
from samples.evaluate import attention_overlaps, round_trip_psnr
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, sample_scene

SAMPLES = Path(__file__).parent.parent / "samples"


def test_checkpoint_is_small_and_safe():
    files = [p for p in (SAMPLES / "tabletop").rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) <= 64 * 2**20
    assert {p.suffix for p in files} <= {".json", ".safetensors", ".txt"}


def test_plain_diffusers_loads_and_runs_it():
    pipe = StableDiffusionPipeline.from_pretrained(SAMPLES / "tabletop")
    pipe.set_progress_bar_config(disable=True)
    assert isinstance(pipe.vae, AutoencoderKL)
    assert isinstance(pipe.text_encoder, CLIPTextModel)
    assert isinstance(pipe.unet, UNet2DConditionModel)
    assert isinstance(pipe.scheduler, DDIMScheduler)
    drawn = pipe("a photo of a red ball on a grey table", num_inference_steps=3, output_type="np").images
    assert drawn.shape == (1, 128, 128, 3)


def test_the_adapter_reads_its_sizes(tabletop):
    assert (tabletop.native_size, tabletop.latent_factor, tabletop.pixel_multiple) == (128, 4, 16)
    with torch.no_grad():
        assert tabletop.encode(torch.rand(1, 3, 96, 160)).shape == (1, 4, 24, 40)


def test_cross_attention_exists_at_16_cells(tabletop):
    from inversion.taps import tap

    with torch.no_grad(), tap(tabletop.unet, tabletop.sites) as tape:
        tabletop.predict(torch.randn(1, 4, 32, 32), 500, [tabletop.embed("a red ball")])
    assert max(maps.shape[-1] for maps in tape.attention.values()) >= 16


@pytest.fixture(scope="module")
def held_out():
    scenes = [sample_scene(FIRST_HELD_OUT_SEED + 500 + i) for i in range(6)]
    return scenes, render(scenes)


def test_autoencoder_keeps_held_out_photos(tabletop, held_out):
    assert np.mean(round_trip_psnr(tabletop, held_out[1].photos)) > 31


def test_words_attend_to_their_objects(tabletop, held_out):
    scenes, drawn = held_out
    assert np.median(attention_overlaps(tabletop, scenes, drawn.photos, drawn.masks)) > 0.55


def test_a_dozen_photos_with_captions_some_large_some_not_square(tabletop):
    paths = sorted((SAMPLES / "photos").glob("*.png"))
    sizes = [load_photo(p).size for p in paths]
    assert len(paths) == 12
    assert any(min(s) > 256 for s in sizes)
    assert any(w > h for w, h in sizes)
    assert any(w < h for w, h in sizes)
    for path in paths:
        assert len(path.with_suffix(".txt").read_text().split()) >= 3
    example = json.loads((SAMPLES / "photos" / "demo.json").read_text())
    caption = (SAMPLES / "photos" / example["photo"]).with_suffix(".txt").read_text().strip()
    assert tabletop.positions(caption, example["object"])
