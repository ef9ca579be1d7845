"""Write a model as the original Stable Diffusion stores it, all in one file; the inverse of what diffusers reads."""

import re

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from torch import Tensor

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def unet_name(name: str, layers: int) -> str:
    """The original name of a U-Net's tensor, with so many resnets in a level on the way down."""
    for own, original in ENDS.items():
        if name.startswith(own + "."):
            return name.replace(own, original, 1)
    side, level, kind, number, rest = re.fullmatch(
        r"(down|mid|up)_block(?:s\.(\d+))?\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)", name
    ).groups()
    i, j = int(level or 0), int(number)
    if kind == "resnets":
        rest = re.sub(r"^\w+", lambda m: RESNET[m[0]], rest)
    if side == "mid":
        return f"middle_block.{1 if kind == 'attentions' else 2 * j}.{rest}"
    if side == "down":
        place = (i + 1) * (layers + 1) if kind == "downsamplers" else i * (layers + 1) + j + 1
        rest = rest.replace("conv.", "op.") if kind == "downsamplers" else rest
        return f"input_blocks.{place}.{int(kind == 'attentions')}.{rest}"
    if kind == "upsamplers":
        return f"output_blocks.{i * (layers + 1) + layers}.@{i}.{rest}"
    return f"output_blocks.{i * (layers + 1) + j}.{int(kind == 'attentions')}.{rest}"


def vae_name(name: str, levels: int) -> str:
    name = re.sub(r"down_blocks\.(\d+)\.resnets\.(\d+)", r"down.\1.block.\2", name)
    name = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d+)\.resnets\.(\d+)", lambda m: f"up.{levels - 1 - int(m[1])}.block.{m[2]}", name)
    name = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", name)
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    if "mid_block.attentions.0." in name:
        head, rest = name.split("mid_block.attentions.0.")
        own = next(k for k in ATTENTION if rest.startswith(k))
        name = f"{head}mid.attn_1.{rest.replace(own, ATTENTION[own], 1)}"
    return name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")


def clip_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name if name.startswith("text_model.") else f"text_model.{name}": t for name, t in tensors.items()}


OPEN_CLIP = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}


def open_clip_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a CLIP text encoder as OpenCLIP calls them, with queries, keys and values in one."""
    named = {name.removeprefix("text_model."): t for name, t in tensors.items()}
    found = {
        "token_embedding.weight": named["embeddings.token_embedding.weight"],
        "positional_embedding": named["embeddings.position_embedding.weight"],
        "ln_final.weight": named["final_layer_norm.weight"],
        "ln_final.bias": named["final_layer_norm.bias"],
        "text_projection": named["text_projection.weight"].T,
    }
    for name, tensor in named.items():
        match = re.fullmatch(r"encoder\.layers\.(\d+)\.(.+)\.(weight|bias)", name)
        if match and match[2] in OPEN_CLIP:
            found[f"transformer.resblocks.{match[1]}.{OPEN_CLIP[match[2]]}.{match[3]}"] = tensor
        if match and match[2] == "self_attn.q_proj":
            parts = [named[name.replace("q_proj", f"{k}_proj")] for k in "qkv"]
            found[f"transformer.resblocks.{match[1]}.attn.in_proj_{match[3]}"] = torch.cat(parts)
    return found


def original_tensors(pipe: StableDiffusionPipeline | StableDiffusionXLPipeline) -> dict[str, Tensor]:
    """The weights of a pipeline of Stable Diffusion 1.x or SDXL under their original names."""
    config, found = pipe.unet.config, {}
    attended = ["CrossAttn" in kind for kind in config.up_block_types]
    for name, tensor in pipe.unet.state_dict().items():
        original = unet_name(name, config.layers_per_block)
        original = re.sub(r"@(\d+)", lambda m: str(1 + attended[int(m[1])]), original)
        found[f"model.diffusion_model.{original}"] = tensor
    for name, tensor in pipe.vae.state_dict().items():
        original = vae_name(name, len(pipe.vae.config.block_out_channels))
        if "mid.attn_1" in original and tensor.dim() == 2:
            tensor = tensor[:, :, None, None]  # the original attends with convolutions of one pixel
        found[f"first_stage_model.{original}"] = tensor
    first = clip_names(pipe.text_encoder.state_dict())
    if isinstance(pipe, StableDiffusionPipeline):
        found |= {f"cond_stage_model.transformer.{name}": t for name, t in first.items()}
    else:
        second = open_clip_names(pipe.text_encoder_2.state_dict())
        found |= {f"conditioner.embedders.0.transformer.{name}": t for name, t in first.items()}
        found |= {f"conditioner.embedders.1.model.{name}": t for name, t in second.items()}
    return {name: tensor.contiguous() for name, tensor in found.items()}
