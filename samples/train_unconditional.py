"""Train a small diffusion model of pixels that no words guide, in the layout of diffusers' `DDPMPipeline` (Ho et al.,
arXiv 2006.11239): what directions in the middle of a U-Net were first found in.

    python -m samples.train_unconditional RUN --steps 5500

Writes RUN/model, RUN/losses.jsonl and RUN/drawn.png, and resumes when run again.
"""

from pathlib import Path

import click
import torch
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from torch import Tensor
from torchvision.utils import save_image

from samples.small_scenes import SIDE, small_photos
from samples.training import Average, Run, learning_rate

SCENES, BATCH, PEAK_RATE = 6000, 16, 2e-3
CHUNK = 200  # scenes that are rendered at once


def build_network() -> UNet2DModel:
    """With attention at the coarsest of three levels."""
    return UNet2DModel(
        sample_size=SIDE,
        in_channels=3,
        out_channels=3,
        block_out_channels=(24, 48, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        norm_num_groups=8,
        attention_head_dim=16,
    )


def training_photos(path: Path, scenes: int) -> Tensor:
    """Photos (scenes, 3, 32, 32), uint8, rendered once and kept in `path`."""
    if not path.exists():
        parts = [small_photos(first, min(CHUNK, scenes - first)) for first in range(0, scenes, CHUNK)]
        torch.save((torch.cat(parts) * 255).round().byte(), path)
    return torch.load(path, weights_only=True)


@torch.no_grad()
def drawn(network: UNet2DModel, noises: DDPMScheduler, count: int, steps: int = 50) -> Tensor:
    """Pictures (count, 3, 32, 32) in [0, 1] from fresh noise, by DDIM."""
    sampler = DDIMScheduler.from_config(noises.config)
    sampler.set_timesteps(steps)
    z = torch.randn(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    for t in sampler.timesteps:
        z = sampler.step(network(z, t).sample, t, z).prev_sample
    return (z / 2 + 0.5).clamp(0, 1)


@click.command()
@click.argument("run_directory", type=click.Path(path_type=Path))
@click.option("--steps", default=5500, show_default=True)
@click.option("--scenes", default=SCENES, show_default=True)
def main(run_directory: Path, steps: int, scenes: int) -> None:
    """Train on rendered scenes, keep the run in RUN_DIRECTORY."""
    run_directory.mkdir(parents=True, exist_ok=True)
    photos = training_photos(run_directory / "photos.pt", scenes)
    torch.manual_seed(0)
    network, noises = build_network(), DDPMScheduler(clip_sample=True)
    optimiser = torch.optim.AdamW(network.parameters(), PEAK_RATE, weight_decay=1e-4, betas=(0.9, 0.99))
    average = Average(network, 0.995)

    def keep() -> None:
        DDPMPipeline(average.module, noises).save_pretrained(run_directory / "model")

    run = Run(run_directory, {"network": network, "optimiser": optimiser, "average": average}, steps, keep)
    for step in run.remaining():
        generator = torch.Generator().manual_seed(step)
        chosen = photos[torch.randint(len(photos), (BATCH,), generator=generator)].float() / 127.5 - 1
        mirrored = torch.rand(BATCH, 1, 1, 1, generator=generator) < 0.5
        clean = torch.where(mirrored, chosen.flip(-1), chosen)
        noise = torch.randn(clean.shape, generator=generator)
        t = torch.randint(noises.config.num_train_timesteps, (BATCH,), generator=generator)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, PEAK_RATE)
        loss = (network(noises.add_noise(clean, noise, t), t).sample - noise).square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        average.update(network, step)
        if step % 50 == 0:
            run.log(loss=loss)
    pictures = drawn(average.module, noises, 32)
    save_image(pictures, run_directory / "drawn.png", nrow=8)
    average.module.half()
    keep()


if __name__ == "__main__":
    main()
