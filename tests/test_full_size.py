"""What full-size models need, with random weights: nothing is downloaded, and only shapes matter."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from inversion import negative_prompt
from inversion.model import DiffusionModel
from inversion.problem import InversionProblem
from inversion.record import record
from inversion.reference import Reference
from inversion.text import Embedding
from tests.tiny_models import CAPTIONS

DEFAULT_STEPS, LONGEST = 25, 77


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "tokens"), [(DEFAULT_STEPS, LONGEST), (2 * DEFAULT_STEPS, 24)])
def test_a_reference_of_a_stable_diffusion_1_5_takes_at_most_40_mb(model, tmp_path, steps, tokens):
    """The default number of steps with the longest prompt, and twice that with a usual one. Three steps are
    recorded; what is kept grows with their number, but for the one text that they share."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=64,
        block_out_channels=(320, 640, 1280, 1280),
        attention_head_dim=8,
        cross_attention_dim=32,  # that of the small text encoder; what is kept does not depend on it
    ).eval()
    vae = AutoencoderKL(
        block_out_channels=(32,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    )
    full: DiffusionModel = model.with_parts(replace(model.parts, unet=unet.to(torch.bfloat16), vae=vae))
    few, prompt = full.schedule(3), CAPTIONS[0]
    found = negative_prompt.invert(InversionProblem(full, torch.randn(1, 4, 64, 64), prompt, few, 7.5))
    reference = record(full, found, prompt, few, "negative-prompt")
    assert {m.shape[-1] for m in reference.attention.values()} == {32, 16, 8}
    assert {f.shape[-1] for f in reference.features.values()} == {16}
    text = found.unconditional.tokens[:1].repeat(1, 1, 768 // 32)
    grown = Reference(
        reference.header,
        reference.pivots[:1].repeat(steps + 1, 1, 1, 1),
        Embedding(text).repeat(steps),
        {k: m[:1, :1].repeat(steps, tokens, 1, 1) for k, m in reference.attention.items()},
        {k: f[:1].repeat(steps, 1, 1, 1) for k, f in reference.features.items()},
        reference.pivots[:1].repeat(steps, 1, 1, 1),
    )
    grown.save(tmp_path / "a.safetensors")
    megabytes = (tmp_path / "a.safetensors").stat().st_size / 1e6
    print(f"{steps} steps, {tokens} tokens: {megabytes:.1f} MB")
    assert megabytes <= 40


@pytest.mark.slow
@pytest.mark.parametrize(("family", "gigabytes"), [("sd15", 10), ("sdxl", 21)])
def test_two_guided_steps_fit_into_this_machine(family, gigabytes):
    """In float32, in a process of its own, with what `--memory auto` finds out; minutes on a CPU."""
    command = [sys.executable, "-m", "tests.benchmarks.full_size", "--family", family]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    print(found.stdout)
    peak = re.search(r"peak ([\d.]+) GB, finite", found.stdout)
    assert peak is not None
    assert float(peak[1]) < gigabytes
