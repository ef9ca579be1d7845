"""Train the text encoder and the U-Net of the bundled checkpoint on the latents of the rendered scenes.

    python -m samples.train_unet SCENES VAE RUN --steps 4500

Writes RUN/checkpoint (the whole diffusers folder), RUN/losses.jsonl and RUN/samples.png, and
resumes when run again. Shards rendered since the last start are picked up. With `--start` it goes on from a
checkpoint instead of from nothing. All examples are kept on the device that trains.
"""

import random
from pathlib import Path

import click
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor
from torchvision.utils import save_image
from transformers import CLIPTextModel, CLIPTokenizer

from inversion.taps import Sites, tap
from samples.examples import draw_batch, read_examples
from samples.grounding import grounding_loss
from samples.scenes import FIRST_HELD_OUT_SEED, sample_scene
from samples.training import Average, Run, learning_rate
from samples.words import WIDTH, build_text_encoder, build_tokenizer, token_ids

BATCH, PEAK_RATE, BLANK_SHARE, SNR_CAP, GROUNDING = 32, 5e-4, 0.1, 5.0, 0.1
OBJECTS = 2.0  # what the error on objects weighs more than elsewhere: they are small, and most is asked of them


def build_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=32,
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(64, 128, 192),
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        attention_head_dim=4,  # in diffusers this is the number of heads
        norm_num_groups=16,
    )


def build_scheduler() -> DDIMScheduler:
    """The noise schedule of Stable Diffusion 1.x."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


class Trained(torch.nn.Module):
    """The two networks that learn together, as one module for optimiser and average."""

    def __init__(self, text: CLIPTextModel, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.text, self.unet = text, unet


def training_loss(model: Trained, sites: Sites, alpha_bar: Tensor, blank: Tensor, batch) -> tuple[Tensor, Tensor]:
    """Noise-prediction error with min-SNR weights (arXiv 2303.09556), heavier on objects, and the grounding term."""
    latents, masks, tokens, words = batch
    count, device = len(latents), latents.device
    dropped = torch.rand(count, device=device) < BLANK_SHARE
    tokens = torch.where(dropped[:, None], blank, tokens)
    words = words & ~dropped[:, None, None]
    # One t from each of `count` equal slices: the loss of a batch then hardly depends on luck.
    slices = torch.randperm(count, device=device) + torch.rand(count, device=device)
    t = (slices / count * len(alpha_bar)).long()
    ab = alpha_bar[t][:, None, None, None]
    noise = torch.randn_like(latents)
    noisy = ab.sqrt() * latents + (1 - ab).sqrt() * noise
    noisy = noisy.contiguous(memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16), tap(model.unet, sites) as tape:
        text = model.text(tokens).last_hidden_state
        predicted = model.unet(noisy, t, text).sample
    snr = (ab / (1 - ab)).flatten()
    weight = 1 + OBJECTS * masks.amax(1, keepdim=True)
    error = ((predicted.float() - noise).square() * weight).mean((1, 2, 3)) / weight.mean((1, 2, 3))
    noise_loss = (error * snr.clamp(max=SNR_CAP) / snr).mean()
    grounded = grounding_loss(list(tape.attention.values()), words, masks, ab.flatten().sqrt())
    return noise_loss, grounded


def kept_tokenizer(folder: Path, start: Path | None) -> CLIPTokenizer:
    """The tokenizer that this run began with. Made anew it may number rare tokens differently, which a
    resumed run would have to learn again."""
    if not folder.is_dir():
        tokenizer = build_tokenizer() if start is None else CLIPTokenizer.from_pretrained(start / "tokenizer")
        tokenizer.save_pretrained(folder)
    return CLIPTokenizer.from_pretrained(folder)


def first_weights(tokenizer: CLIPTokenizer, start: Path | None) -> Trained:
    """The networks before the first step: random ones, or those of the checkpoint `start`."""
    if start is None:
        return Trained(build_text_encoder(tokenizer), build_unet())
    unet = UNet2DConditionModel.from_pretrained(start / "unet")
    unet.register_to_config(_name_or_path="")  # else the checkpoint names a folder of this machine
    return Trained(CLIPTextModel.from_pretrained(start / "text_encoder"), unet)


def pipeline(model: Trained, vae: AutoencoderKL, tokenizer: CLIPTokenizer) -> StableDiffusionPipeline:
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=model.text,
        tokenizer=tokenizer,
        unet=model.unet,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def save_checkpoint(model: Trained, vae: AutoencoderKL, tokenizer: CLIPTokenizer, run_directory: Path) -> None:
    """Write the diffusers folder and a grid of pictures drawn from held-out captions."""
    pipe = pipeline(model, vae, tokenizer)
    pipe.save_pretrained(run_directory / "checkpoint")
    tokenizer.backend_tokenizer.model.save(str(run_directory / "checkpoint" / "tokenizer"))
    pipe.set_progress_bar_config(disable=True)
    captions = [sample_scene(FIRST_HELD_OUT_SEED + i).caption for i in range(8)]
    drawn = pipe(
        captions,
        num_inference_steps=25,
        guidance_scale=4.0,
        output_type="pt",
        height=128,
        width=128,
        generator=torch.Generator().manual_seed(0),
    ).images
    save_image(drawn, run_directory / "samples.png", nrow=4)


@click.command()
@click.argument("scenes", type=click.Path(path_type=Path))
@click.argument("vae_directory", type=click.Path(path_type=Path))
@click.argument("run_directory", type=click.Path(path_type=Path))
@click.option("--steps", default=4500, show_default=True)
@click.option("--start", type=click.Path(path_type=Path, exists=True), help="A checkpoint whose weights to begin with.")
@click.option("--peak-rate", default=PEAK_RATE, show_default=True, help="The greatest learning rate.")
@click.option("--batch", default=BATCH, show_default=True, help="Latents in every step.")
@click.option("--device", default="cpu", show_default=True, help="Where to train, as torch names it.")
def main(
    scenes: Path,
    vae_directory: Path,
    run_directory: Path,
    steps: int,
    start: Path | None,
    peak_rate: float,
    batch: int,
    device: str,
) -> None:
    """Train on SCENES with the autoencoder of VAE_DIRECTORY, keep the run in RUN_DIRECTORY."""
    place = torch.device(device)
    vae = AutoencoderKL.from_pretrained(vae_directory).eval().to(place)
    vae.register_to_config(_name_or_path="")  # else the checkpoint names a folder of this machine
    tokenizer = kept_tokenizer(run_directory / "tokenizer", start)
    examples = read_examples(scenes, vae, tokenizer, run_directory / "latents", place)
    torch.manual_seed(0)
    model = first_weights(tokenizer, start).to(place)
    model.unet.to(memory_format=torch.channels_last)
    model.unet.set_attn_processor(AttnProcessor())  # the fused kernel's backward is slower on a CPU
    optimiser = torch.optim.AdamW(model.parameters(), peak_rate, weight_decay=1e-2, betas=(0.9, 0.99), fused=True)
    average = Average(model)
    parts = {"model": model, "optimiser": optimiser, "average": average}
    run = Run(run_directory, parts, steps, lambda: save_checkpoint(average.module, vae, tokenizer, run_directory))
    sites = Sites(attention=tuple(n for n, _ in model.unet.named_modules() if n.endswith("attn2")))
    alpha_bar = build_scheduler().alphas_cumprod.to(place)
    blank = token_ids(tokenizer, [""]).to(place)

    for step in run.remaining():
        rng = random.Random(step)
        torch.manual_seed(step)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, peak_rate)
        noise_loss, grounded = training_loss(model, sites, alpha_bar, blank, draw_batch(examples, batch, rng))
        (noise_loss + GROUNDING * grounded).backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        average.update(model, step)
        if step % 20 == 0:
            run.log(noise=noise_loss, grounding=grounded, gradient=norm)


if __name__ == "__main__":
    main()
