"""Train the ControlNet of the bundled model on edges of the rendered scenes.

    python -m samples.train_controlnet SCENES RUN --steps 900

Writes RUN/controlnet (diffusers' folder, in half precision) and RUN/losses.jsonl, and resumes when run again. The
network is the U-Net's encoder and its middle without attention, which keeps it under 8 MB; the U-Net stays as it is.
"""

import random
from dataclasses import replace
from pathlib import Path

import click
import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from samples.dataset import read_shards
from samples.edges import edges
from samples.examples import Examples, draw_batch, read_examples
from samples.train_unet import SNR_CAP, build_scheduler
from samples.training import Average, Run, learning_rate
from samples.words import token_ids

CONTROL_BATCH, CONTROL_RATE = 8, 5e-4
MOST_WEIGHT = 30.0  # of the error where little but noise is left: there the layout is decided
UNPROMPTED_SHARE = 0.5  # of the rows: without words the map alone says what is seen (arXiv 2302.05543, section 3.3)
HINT_CHANNELS = (16, 32, 64)  # of the map's encoder, which halves twice, as the autoencoder does
COPIED = ("conv_in", "time_embedding", "down_blocks", "mid_block.resnets.0")


def build_controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """Of the U-Net's weights where it has the same parts; its outputs are zero."""
    kept = ("in_channels", "down_block_types", "block_out_channels", "layers_per_block", "cross_attention_dim")
    shared = {name: unet.config[name] for name in (*kept, "attention_head_dim", "norm_num_groups")}
    network = ControlNetModel(
        **shared, mid_block_type="UNetMidBlock2D", conditioning_embedding_out_channels=HINT_CHANNELS
    )
    for name in COPIED:
        network.get_submodule(name).load_state_dict(unet.get_submodule(name).state_dict())
    return network


def with_edges(scenes: Path, examples: list[Examples]) -> list[Examples]:
    """The same examples with maps of edges (n, 1, H, W), uint8, in place of the objects' masks."""
    maps: dict[torch.Size, list[Tensor]] = {}
    for shard in read_shards(scenes):
        found = (edges(shard.photos.float() / 255)[:, :1] * 255).byte()
        maps.setdefault(found.shape[-2:], []).append(found)
    return [replace(e, masks=torch.cat(m)) for e, m in zip(examples, maps.values(), strict=True)]


def control_loss(network: ControlNetModel, unet: UNet2DConditionModel, alpha_bar: Tensor, batch) -> Tensor:
    """The U-Net's noise-prediction error with the network's residuals, with min-SNR weights (arXiv 2303.09556), and in
    much noise nearly as an error of the picture. `batch`: latents, maps and embedded texts."""
    latents, maps, text = batch
    count = len(latents)
    slices = torch.randperm(count) + torch.rand(count)
    t = (slices / count * len(alpha_bar)).long()
    ab = alpha_bar[t][:, None, None, None]
    noise = torch.randn_like(latents)
    noisy = (ab.sqrt() * latents + (1 - ab).sqrt() * noise).contiguous(memory_format=torch.channels_last)
    down, middle = network(noisy, t, text, controlnet_cond=maps.expand(-1, 3, -1, -1), return_dict=False)
    added = {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}
    predicted = unet(noisy, t, text, **added).sample
    snr = (ab / (1 - ab)).flatten()
    error = (predicted - noise).square().mean((1, 2, 3))
    return (error * snr.clamp(max=SNR_CAP) / snr * (1 + 1 / snr).clamp(max=MOST_WEIGHT)).mean()


@click.command()
@click.argument("scenes", type=click.Path(path_type=Path))
@click.argument("run_directory", type=click.Path(path_type=Path))
@click.option("--checkpoint", default="samples/tabletop", type=click.Path(path_type=Path, exists=True))
@click.option("--steps", default=900, show_default=True)
def main(scenes: Path, run_directory: Path, checkpoint: Path, steps: int) -> None:
    """Train on SCENES for the model of a checkpoint, keep the run in RUN_DIRECTORY."""
    unet = UNet2DConditionModel.from_pretrained(checkpoint / "unet").requires_grad_(False)
    texts = CLIPTextModel.from_pretrained(checkpoint / "text_encoder").requires_grad_(False)
    vae, tokenizer = (
        kind.from_pretrained(checkpoint / folder)
        for kind, folder in ((AutoencoderKL, "vae"), (CLIPTokenizer, "tokenizer"))
    )
    read = read_examples(scenes, vae.eval(), tokenizer, run_directory / "latents", torch.device("cpu"))
    examples, blank = with_edges(scenes, read), token_ids(tokenizer, [""])
    torch.manual_seed(0)
    network = build_controlnet(unet).train()
    for each in (unet, network):
        each.to(memory_format=torch.channels_last)
        each.set_attn_processor(AttnProcessor())  # the fused kernel's backward is slower on a CPU
    optimiser = torch.optim.AdamW(network.parameters(), CONTROL_RATE, weight_decay=1e-2, betas=(0.9, 0.99), fused=True)
    average = Average(network, decay=0.995)
    parts = {"network": network, "optimiser": optimiser, "average": average}

    def save() -> None:
        average.module.half().save_pretrained(run_directory / "controlnet")
        average.module.float()

    run, alpha_bar = Run(run_directory, parts, steps, save), build_scheduler().alphas_cumprod
    for step in run.remaining():
        rng = random.Random(step)
        torch.manual_seed(step)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, CONTROL_RATE)
        latents, maps, tokens, _ = draw_batch(examples, CONTROL_BATCH, rng)
        tokens = torch.where(torch.rand(len(tokens), 1) < UNPROMPTED_SHARE, blank, tokens)
        loss = control_loss(network, unet, alpha_bar, (latents, maps, texts(tokens).last_hidden_state))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        average.update(network, step)
        if step % 20 == 0:
            run.log(noise=loss, gradient=norm)


if __name__ == "__main__":
    main()
