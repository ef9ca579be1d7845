"""Tiny random models of every family, built here; nothing is downloaded."""

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


def tiny_pipeline(
    prediction_type: str, *, linear: bool, pad: str | None = None, levels: int = 3
) -> StableDiffusionPipeline:
    """A random pipeline with every kind of part that Stable Diffusion 1.x (conv projections) or 2.x (linear
    projections, v-prediction, heads by level, another padding) has: three `levels` or two, cross-attention on all but
    one, 8x smaller."""
    torch.manual_seed(3)
    tokenizer = tiny_tokenizer(pad)
    text = CLIPTextModel(tiny_text_config(tokenizer))
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32, 32, 64)[-levels:],
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D")[-levels:],
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D")[:levels],
        cross_attention_dim=32,
        attention_head_dim=(1, 2, 4)[-levels:] if linear else 2,
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


def random_latent(seed: int = 0, height: int = 8, width: int = 12) -> torch.Tensor:
    """A latent that is wider than high."""
    return torch.randn(1, 4, height, width, generator=torch.Generator().manual_seed(seed))
