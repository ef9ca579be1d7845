"""What do guided steps of full-size models take on this machine, and what would they on other devices?

    python -m tests.benchmarks.full_size [--family sd15|sdxl] [--memory WAY] [--device cuda] [--estimate]

Weights are random: memory and time do not depend on them. Two steps are guided, at 512 and at 1024 pixels, in float32
on a CPU and in bfloat16 on a GPU, there once before the clock runs. With `--estimate` nothing is run: the table says
what guided sampling needs, counted on shapes alone.
"""

import time
from dataclasses import dataclass

import click
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from rich.console import Console
from rich.table import Table
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from inversion.footprint import Memory, Need
from inversion.loading import settled
from inversion.model import DiffusionModel
from inversion.parts import Parts
from inversion.text import Embedding, TextEncoder, TextEncoders
from realedit.commands.diagnostics import peak_memory
from realedit.sampling.energies import CentroidEnergy
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.settings import Strength

GUIDED_STEPS = 2
CARDS = (8, 12, 16, 24)  # GB
BESIDE = 0.7  # GB of a card that its driver and desktop hold


@dataclass(frozen=True)
class FullSize:
    """The configurations of a published family: `unet` and `texts` as their constructors take them."""

    name: str
    unet: dict
    texts: tuple[CLIPTextConfig, ...]
    tokens: int = 77

    @property
    def side(self) -> int:
        """Cells of the latent's side."""
        return self.unet["sample_size"]

    def build_unet(self, dtype: torch.dtype, device: str) -> UNet2DConditionModel:
        with torch.device(device):
            unet = UNet2DConditionModel(**self.unet).requires_grad_(False).eval()
        return torch.nn.Module.to(unet, dtype)

    def build_others(self, device: str) -> tuple[AutoencoderKL, tuple[CLIPTextModel, ...]]:
        kinds = (CLIPTextModel, CLIPTextModelWithProjection)
        with torch.device(device):
            vae = AutoencoderKL(
                block_out_channels=(128, 256, 512, 512),
                layers_per_block=2,
                latent_channels=4,
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
            )
            return vae.eval(), tuple(kind(config).eval() for kind, config in zip(kinds, self.texts, strict=False))


SMALL_TEXT = CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
LARGE_TEXT = CLIPTextConfig(
    hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20, projection_dim=1280
)
FAMILIES = {
    "sd15": FullSize(
        "Stable Diffusion 1.5, 512 px",
        {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8},
        (SMALL_TEXT,),
    ),
    "sdxl": FullSize(
        "SDXL, 1024 px",
        {
            "sample_size": 128,
            "block_out_channels": (320, 640, 1280),
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            "transformer_layers_per_block": (1, 2, 10),
            "attention_head_dim": (5, 10, 20),
            "cross_attention_dim": 2048,
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 2816,
        },
        (SMALL_TEXT, LARGE_TEXT),
    ),
}


def model_of(family: FullSize, memory: Memory, device: str = "cpu") -> DiffusionModel:
    """The model on this device; its texts are not encoded, so its encoders are without tokenizers."""
    place = torch.device(device)
    dtype = torch.float32 if place.type == "cpu" else torch.bfloat16
    vae, texts = family.build_others(device)
    encoders = tuple(TextEncoder(_Tokens(family.tokens), network) for network in texts)
    scheduler = DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False, steps_offset=1)
    unet = family.build_unet(dtype, device)
    parts = settled(Parts(vae, TextEncoders(encoders), unet, scheduler, memory), place)
    return DiffusionModel(family.name, "random", parts.sizes, lambda: parts, place)


@dataclass(frozen=True)
class _Tokens:
    """As much of a tokenizer as a choice of memory asks for."""

    model_max_length: int


def guided_steps(model: DiffusionModel, family: FullSize) -> tuple[float, float, bool]:
    """Seconds and forward-equivalents of two guided steps, and whether what came out is finite."""
    steps = GUIDED_STEPS * 2  # guidance measures at every second one
    generator = torch.Generator().manual_seed(0)
    pooled = torch.randn(1, 1280, generator=generator) if len(family.texts) > 1 else None
    text = Embedding(torch.randn(1, family.tokens, family.unet["cross_attention_dim"], generator=generator), pooled)
    targets = {name: torch.tensor((0.2, 0.5)).expand(steps, 1, 2) for name in model.sites.attention}
    start = torch.randn(1, 4, family.side, family.side, generator=generator).to(model.device)
    text = Embedding(*(None if t is None else t.to(model.device) for t in (text.tokens, text.pooled)))
    strength = Strength(0.5, 0.5, 0.5)
    guidance = Guidance(
        CentroidEnergy((6,), targets), torch.ones_like(start[:, :1]), strength, 1e-9, GuidedSteps(0.0, 1.0)
    )
    began = time.perf_counter()
    with model.metered() as meter:
        z = sample(model, start, model.schedule(steps), Conditioning(text, text.repeat(steps), 1.0), guidance=guidance)
    finite = bool(torch.isfinite(z).all())  # which waits for the device
    return time.perf_counter() - began, meter.forward_equivalents, finite


def estimates() -> Table:
    """What guided sampling needs of a card, and what `--memory auto` then takes."""
    table = Table("", "fast", "checkpointed", "lean", *(f"{gb} GB card" for gb in CARDS))
    for family in FAMILIES.values():
        unet = family.build_unet(torch.bfloat16, "meta")
        vae, texts = family.build_others("meta")
        need = Need(unet, vae, texts, (family.side, family.side), family.tokens)
        sizes = [f"{need.bytes(way) / 1e9:.1f} GB" for way in (Memory.FAST, Memory.CHECKPOINTED, Memory.LEAN)]
        picks = [need.choice(int((gb - BESIDE) * 1e9)).value for gb in CARDS]
        table.add_row(family.name, *sizes, *picks)
    return table


@click.command()
@click.option("--family", type=click.Choice(tuple(FAMILIES)), default="sd15", show_default=True)
@click.option("--memory", type=click.Choice([m.value for m in Memory]), default="auto", show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option("--estimate", is_flag=True)
def main(family: str, memory: str, device: str, estimate: bool) -> None:
    if estimate:
        Console(width=120).print(estimates())
        return
    chosen_family = FAMILIES[family]
    model = model_of(chosen_family, Memory(memory), device)
    if model.device.type == "cuda":
        guided_steps(model, chosen_family)
        torch.cuda.reset_peak_memory_stats()
    seconds, evaluations, finite = guided_steps(model, chosen_family)
    peak = peak_memory(model.device) / 1e9
    click.echo(
        f"{chosen_family.name}: memory {model.parts.memory.value}, {GUIDED_STEPS} guided steps of {2 * GUIDED_STEPS}, "
        f"{evaluations:.1f} evaluations, {seconds:.3g} s, peak {peak:.1f} GB, {'finite' if finite else 'NOT FINITE'}"
    )


if __name__ == "__main__":
    main()
