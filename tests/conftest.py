"""Tiny random models of every family, built here and saved in diffusers' layout; nothing is downloaded."""

import os
from pathlib import Path

# A thread for each process: tests run in several at once, and small tensors on many threads crawl.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from inversion.loading import load_model
from inversion.model import DiffusionModel
from realedit.files.writing import save_photo
from tests.plain_scene import scene

cv2.setNumThreads(1)

CAPTIONS = ["a photo of a red ball and a striped blue can on a wooden table", "a cat on a bench"]
PROMPT = CAPTIONS[0]


def tiny_tokenizer(pad: str | None = None) -> CLIPTokenizer:
    """A tokenizer that knows the words of the captions, and pads with its end mark or with `pad`."""
    blank = CLIPTokenizer(vocab={"<|startoftext|>": 0, "<|endoftext|>": 1}, merges=[])
    tokenizer = blank.train_new_from_iterator(CAPTIONS * 50, vocab_size=320)
    tokenizer.model_max_length = 24
    if pad:
        tokenizer.pad_token = pad
    return tokenizer


def tiny_text_config(tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=24,
        projection_dim=32,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )


def tiny_vae() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(16, 16),
        latent_channels=4,
        norm_num_groups=4,
        sample_size=32,
        scaling_factor=0.3,
    ).eval()


def tiny_scheduler(prediction_type: str) -> DDIMScheduler:
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction_type,
    )


def tiny_pipeline(prediction_type: str, *, linear: bool, pad: str | None = None) -> StableDiffusionPipeline:
    """A random pipeline with every kind of part that Stable Diffusion 1.x (conv projections) or 2.x (linear
    projections, v-prediction, heads by level, another padding) has: three levels, cross-attention on all but
    one, 8x smaller."""
    torch.manual_seed(3)
    tokenizer = tiny_tokenizer(pad)
    text = CLIPTextModel(tiny_text_config(tokenizer))
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32, 32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=(1, 2, 4) if linear else 2,
        norm_num_groups=8,
        use_linear_projection=linear,
    )
    pipe = StableDiffusionPipeline(
        vae=tiny_vae(),
        text_encoder=text.eval(),
        tokenizer=tokenizer,
        unet=unet.eval(),
        scheduler=tiny_scheduler(prediction_type),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def tiny_xl_pipeline() -> StableDiffusionXLPipeline:
    """A random pipeline with every kind of part that SDXL has: two text encoders of different widths and padding,
    pooled text and sizes, no attention at the finest level, several layers in a transformer, and a scheduler that
    is not DDIM."""
    torch.manual_seed(4)
    tokenizers = tiny_tokenizer(), tiny_tokenizer("!")
    wide = tiny_text_config(tokenizers[1])
    wide.hidden_size, wide.projection_dim = 48, 40
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32, 32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 1, 2),
        cross_attention_dim=32 + 48,
        attention_head_dim=(1, 2, 4),
        norm_num_groups=8,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=40 + 6 * 8,
    )
    pipe = StableDiffusionXLPipeline(
        vae=tiny_vae(),
        text_encoder=CLIPTextModel(tiny_text_config(tokenizers[0])).eval(),
        text_encoder_2=CLIPTextModelWithProjection(wide).eval(),
        tokenizer=tokenizers[0],
        tokenizer_2=tokenizers[1],
        unet=unet.eval(),
        scheduler=EulerDiscreteScheduler.from_config(tiny_scheduler("epsilon").config, timestep_spacing="leading"),
        add_watermarker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def tiny_pipelines() -> dict[str, StableDiffusionPipeline | StableDiffusionXLPipeline]:
    return {
        "epsilon": tiny_pipeline("epsilon", linear=False),
        "v_prediction": tiny_pipeline("v_prediction", linear=True, pad="!"),
        "xl": tiny_xl_pipeline(),
    }


@pytest.fixture(scope="session")
def pipelines() -> dict[str, StableDiffusionPipeline | StableDiffusionXLPipeline]:
    return tiny_pipelines()


@pytest.fixture(scope="session")
def folders(pipelines, tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    for name, pipe in pipelines.items():
        pipe.save_pretrained(root / name)
    return {name: root / name for name in pipelines}


@pytest.fixture(scope="session", params=["epsilon", "v_prediction", "xl"])
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def tiny(kind, folders) -> DiffusionModel:
    """A tiny model of every kind in turn, loaded as a user's would be."""
    return load_model(str(folders[kind]), device="cpu")


@pytest.fixture(scope="session")
def pipe(kind, folders, pipelines) -> StableDiffusionPipeline | StableDiffusionXLPipeline:
    """The same model as diffusers itself loads it. Out of the same files, since a processor may round otherwise
    where weights lie otherwise in memory."""
    loaded = type(pipelines[kind]).from_pretrained(folders[kind])
    loaded.set_progress_bar_config(disable=True)
    return loaded


@pytest.fixture(scope="session")
def model(folders) -> DiffusionModel:
    """The tiny epsilon model, for what does not depend on the kind."""
    return load_model(str(folders["epsilon"]), device="cpu")


@pytest.fixture(scope="session")
def tabletop() -> DiffusionModel:
    return load_model(device="cpu")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def shared_cache(_own_cache, tmp_path_factory, monkeypatch):
    """A cache that tests have in common: a photo that several of them edit is inverted once."""
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path_factory.getbasetemp() / "shared-cache"))


def random_latent(seed: int = 0, height: int = 8, width: int = 12) -> torch.Tensor:
    """A latent that is wider than high."""
    return torch.randn(1, 4, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def plain(tmp_path) -> Path:
    """A photo that the bundled model does not know: marked, its disc is edited without inversion."""
    save_photo(scene(), tmp_path / "plain.png")
    return tmp_path / "plain.png"
