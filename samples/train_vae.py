"""Train the autoencoder of the bundled checkpoint: 4 latent channels at a quarter of the size.

    python -m samples.train_vae SCENES RUN --steps 3000

Writes RUN/vae (diffusers layout), RUN/losses.jsonl and RUN/round_trip.png, and resumes when run
again. Trained on crops, since every layer is local (the middle block has no attention).
"""

from pathlib import Path

import click
import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torchvision.utils import save_image

from samples.dataset import read_shards
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, sample_scene
from samples.training import Average, Run, learning_rate

CROP, BATCH, PEAK_RATE, KL_WEIGHT = 64, 16, 1.5e-3, 3e-5


def build_vae() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(32, 64, 128),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=16,
        sample_size=128,
        mid_block_add_attention=False,
    )


def crops(photos: list[Tensor], generator: torch.Generator) -> Tensor:
    """BATCH random crops (B, 3, CROP, CROP) in [-1, 1], half of them mirrored."""

    def draw(n: int) -> int:
        return int(torch.randint(n, (), generator=generator))

    out = []
    for _ in range(BATCH):
        shard = photos[draw(len(photos))]
        photo = shard[draw(len(shard))]
        top, left = draw(photo.shape[1] - CROP + 1), draw(photo.shape[2] - CROP + 1)
        crop = photo[:, top : top + CROP, left : left + CROP]
        out.append(crop.flip(-1) if draw(2) else crop)
    return torch.stack(out).float() / 127.5 - 1


@torch.no_grad()
def round_trip_psnr(vae: AutoencoderKL, photos: Tensor) -> Tensor:
    """PSNR in dB of each photo (B, 3, H, W) in [0, 1] after encode (mean) and decode."""
    back = vae.decode(vae.encode(photos * 2 - 1).latent_dist.mode()).sample / 2 + 0.5
    error = (back.clamp(0, 1) - photos).square().mean((1, 2, 3))
    return -10 * error.log10()


@torch.no_grad()
def latent_scale(vae: AutoencoderKL, photos: list[Tensor]) -> float:
    """The factor that gives the latents unit spread over the training photos."""
    some = torch.cat([vae.encode(p[:8].float() / 127.5 - 1).latent_dist.mode().flatten() for p in photos])
    return float(1 / some.std())


@click.command()
@click.argument("scenes", type=click.Path(path_type=Path))
@click.argument("run_directory", type=click.Path(path_type=Path))
@click.option("--steps", default=3000, show_default=True)
def main(scenes: Path, run_directory: Path, steps: int) -> None:
    """Train on the rendered SCENES, keep the run in RUN_DIRECTORY."""
    photos = [shard.photos for shard in read_shards(scenes)]
    torch.manual_seed(0)
    vae = build_vae().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(vae.parameters(), PEAK_RATE, weight_decay=1e-4, betas=(0.9, 0.99))
    average = Average(vae, 0.998)
    run = Run(run_directory, {"vae": vae, "optimiser": optimiser, "average": average}, steps)
    held_out = render([sample_scene(FIRST_HELD_OUT_SEED + i) for i in range(32)]).photos
    for step in run.remaining():
        generator = torch.Generator().manual_seed(step)
        photo = crops(photos, generator).contiguous(memory_format=torch.channels_last)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, PEAK_RATE)
        with torch.autocast("cpu", torch.bfloat16):
            posterior = vae.encode(photo).latent_dist
            back = vae.decode(posterior.sample(generator)).sample
        error = back.float() - photo
        kl = posterior.kl().float().mean() / posterior.mean[0].numel()
        loss = error.abs().mean() + 2 * error.square().mean() + KL_WEIGHT * kl
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        average.update(vae, step)
        if step % 50 == 0:
            run.log(loss=loss, kl=kl, crop_psnr=-10 * (error / 2).square().mean().log10())
        if step % 500 == 499:
            psnr = round_trip_psnr(average.module, held_out)
            run.log(held_out_psnr=psnr.mean())
            print(f"step {step + 1}: held-out round trip {psnr.mean():.2f} dB", flush=True)
    trained = average.module
    trained.register_to_config(scaling_factor=latent_scale(trained, photos))
    trained.save_pretrained(run_directory / "vae")
    with torch.no_grad():
        back = trained(held_out[:8] * 2 - 1).sample / 2 + 0.5
    save_image(torch.cat((held_out[:8], back.clamp(0, 1))), run_directory / "round_trip.png", nrow=8)
    print(f"held-out round trip: {round_trip_psnr(trained, held_out).mean():.2f} dB")


if __name__ == "__main__":
    main()
