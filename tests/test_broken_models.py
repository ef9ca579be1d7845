"""Broken and foreign folders and files given as a model: each is refused for the true reason, in one line, before any
work begins."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from inversion.errors import ModelError, Notice
from inversion.loading import load_model
from tests.original_layout import original_tensors
from tests.tiny_models import tiny_tokenizer

UNET, VAE = "unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors"
TEXT, SAMPLER = "text_encoder/model.safetensors", "scheduler/scheduler_config.json"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 3438167536\n"
QUERY = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_q.weight"

Change = Callable[[Path], None]


def removed(*names: str) -> Change:
    def change(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return change


def written(name: str, data: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(data) and None


def configured(name: str, **fields: object) -> Change:
    """Other values in a configuration; `...` removes a field."""

    def change(folder: Path) -> None:
        values = json.loads((folder / name).read_text()) | fields
        (folder / name).write_text(json.dumps({k: v for k, v in values.items() if v is not ...}))

    return change


def weighed(name: str, edit: Callable[[dict[str, Tensor]], object]) -> Change:
    """Other tensors in a file of weights."""

    def change(folder: Path) -> None:
        tensors = load_file(folder / name)
        edit(tensors)
        save_file(tensors, folder / name, {"format": "pt"})

    return change


def filled(tensor: str, value: float) -> Callable[[dict[str, Tensor]], object]:
    return lambda tensors: tensors[tensor].fill_(value)


def in_old_layout(folder: Path) -> None:
    """A vocabulary in two files, as the published models have it."""
    vocabulary = json.loads((folder / "tokenizer" / "tokenizer.json").read_text())["model"]
    (folder / "tokenizer" / "tokenizer.json").unlink()
    (folder / "tokenizer" / "vocab.json").write_text(json.dumps(vocabulary["vocab"]))
    merges = [" ".join(pair) for pair in vocabulary["merges"]]
    (folder / "tokenizer" / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]))


def then(*changes: Change) -> Change:
    def change(folder: Path) -> None:
        for each in changes:
            each(folder)

    return change


def of_more_words(folder: Path) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens([f"word{i}" for i in range(50)])
    tokenizer.save_pretrained(folder / "tokenizer")


def moved_up(part: str) -> Change:
    """One part alone, in the folder itself."""

    def change(folder: Path) -> None:
        for path in folder.iterdir():
            if path.name != part:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in (folder / part).iterdir():
            path.rename(folder / path.name)
        (folder / part).rmdir()

    return change


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


FOLDERS: dict[str, tuple[Change, str]] = {
    # Tokenizers.
    "no vocabulary": (removed("tokenizer/tokenizer.json"), "vocab.json and merges.txt missing"),
    "no tokenizer": (lambda folder: shutil.rmtree(folder / "tokenizer"), "vocab.json and merges.txt missing"),
    "no vocab.json": (then(in_old_layout, removed("tokenizer/vocab.json")), "tokenizer: vocab.json missing"),
    "no merges.txt": (then(in_old_layout, removed("tokenizer/merges.txt")), "tokenizer: merges.txt missing"),
    "a vocabulary of nothing": (
        then(in_old_layout, written("tokenizer/vocab.json", b"{}"), written("tokenizer/merges.txt", b"#version: 0.2")),
        "the vocabulary of its tokenizer knows no letters",
    ),
    "a vocabulary cut off": (lambda folder: cut(folder / "tokenizer" / "tokenizer.json"), "could not be loaded from"),
    "no tokenizer_config.json": (removed("tokenizer/tokenizer_config.json"), "tokenizer_config.json is missing"),
    "no length of a prompt": (configured("tokenizer/tokenizer_config.json", model_max_length=...), "no number of"),
    "a longer prompt than is read": (
        configured("tokenizer/tokenizer_config.json", model_max_length=77),
        "a prompt has 77 tokens, and its text encoder reads 24",
    ),
    "a length in words": (configured("tokenizer/tokenizer_config.json", model_max_length="24"), "no number of tokens"),
    "a prompt of nothing": (configured("tokenizer/tokenizer_config.json", model_max_length=0), "a prompt has 0 tokens"),
    "more words than are known": (of_more_words, "and its text encoder knows 303"),
    "a pointer as the vocabulary": (written("tokenizer/tokenizer.json", POINTER), "is a git-lfs pointer"),
    "another tokenizer": (
        configured("model_index.json", tokenizer=["transformers", "T5Tokenizer"]),
        "whose tokenizer is a T5Tokenizer and not a CLIPTokenizer",
    ),
    # Weights.
    "a U-Net's layer missing": (weighed(UNET, lambda t: t.pop("conv_in.weight")), "1 tensors of its unet are missing"),
    "an autoencoder's layer missing": (
        weighed(VAE, lambda t: t.pop("decoder.conv_in.bias")),
        "tensors of its vae are missing, such as decoder.conv_in.bias",
    ),
    "a text encoder's layer missing": (
        weighed(TEXT, lambda t: t.pop("encoder.layers.1.mlp.fc1.weight")),
        "tensors of its text_encoder are missing, such as encoder.layers.1.mlp.fc1.weight",
    ),
    "no layers at all": (weighed(UNET, dict.clear), "tensors of its unet are missing"),
    "a tensor of another shape": (
        weighed(UNET, lambda t: t.__setitem__("conv_in.weight", torch.zeros(3))),
        "conv_in.weight expected shape torch.Size([32, 4, 3, 3]), but got torch.Size([3])",
    ),
    "a text encoder of another shape": (
        weighed(TEXT, lambda t: t.__setitem__("encoder.layers.1.mlp.fc1.weight", torch.zeros(9))),
        "encoder.layers.1.mlp.fc1.weight of its text_encoder is [9] and not [64, 32]",
    ),
    "infinite weights": (weighed(UNET, filled(QUERY, float("inf"))), "weights of its unet hold infinite numbers"),
    "infinity in the autoencoder": (
        weighed(VAE, filled("decoder.conv_in.bias", float("-inf"))),
        "weights of its vae hold infinite numbers",
    ),
    "not-a-number in the text encoder": (
        weighed(TEXT, filled("encoder.layers.1.mlp.fc1.bias", float("nan"))),
        "weights of its text encoder 1 hold not-a-number",
    ),
    "a pointer as weights": (written(UNET, POINTER), "is a git-lfs pointer and not the file itself"),
    "a pointer as the index": (written("model_index.json", POINTER), "is a git-lfs pointer"),
    "a web page as weights": (written(VAE, b"<!DOCTYPE html><html>404</html>"), "is a web page"),
    "a pickle under another name": (written(UNET, b"\x80\x02}q\x00."), "can run any program"),
    "a zipped pickle under another name": (written(UNET, b"PK\x03\x04archive/data.pkl"), "can run any program"),
    "empty weights": (written(UNET, b""), "is empty"),
    "weights cut off": (lambda folder: cut(folder / UNET), "could not be loaded"),
    # Configurations.
    "no size": (configured("unet/config.json", sample_size=None), "sample_size is None in unet/config.json"),
    "a size of 0": (configured("unet/config.json", sample_size=0), "sample_size is 0 in unet/config.json"),
    "sizes of 0": (configured("unet/config.json", sample_size=[16, 0]), "sample_size is [16, 0] in unet/config.json"),
    "a size in words": (configured("unet/config.json", sample_size="large"), "sample_size is 'large'"),
    "no size written": (configured("unet/config.json", sample_size=...), "sample_size is None"),
    "text of another width": (
        configured("unet/config.json", cross_attention_dim=768),
        "its U-Net expects text of width 768, and its text encoders give 32; they are of another model",
    ),
    "more output than latents": (configured("unet/config.json", out_channels=8), "8 output channels and not 4"),
    "quantised": (configured("unet/config.json", quantization_config={"load_in_4bit": True}), "that is quantised"),
    "depth in the autoencoder": (configured("vae/config.json", out_channels=6), "autoencoder with out_channels 6"),
    "no scale of latents": (configured("vae/config.json", scaling_factor=None), "scaling_factor is None"),
    "a scale of 0": (configured("vae/config.json", scaling_factor=0.0), "scaling_factor is 0.0"),
    "too few means": (configured("vae/config.json", latents_mean=[0.0, 1.0]), "latents_mean is [0.0, 1.0]"),
    "a deviation of 0": (configured("vae/config.json", latents_std=[1.0, 1.0, 0.0, 1.0]), "latents_std holds 0"),
    "a configuration as a list": (written("unet/config.json", b"[1, 2]"), "is not readable as JSON"),
    "a configuration as null": (written("vae/config.json", b"null"), "is not readable as JSON"),
    "an empty configuration": (written("unet/config.json", b""), "is empty"),
    "an index of halves": (configured("model_index.json", unet=["diffusers"]), "without the U-Net and autoencoder"),
    "an index of words": (configured("model_index.json", vae="AutoencoderKL"), "without the U-Net and autoencoder"),
    "a program of its own": (
        configured("model_index.json", _class_name=["pipeline", "MyPipeline"]),
        "is run by a program of its own, which is not run here",
    ),
    "exported to ONNX": (
        configured(
            "model_index.json",
            _class_name="OnnxStableDiffusionPipeline",
            unet=["diffusers", "OnnxRuntimeModel"],
            vae=...,
        ),
        "is exported to ONNX",
    ),
    "Stable Diffusion 3": (
        configured("model_index.json", transformer=["diffusers", "SD3Transformer2DModel"]),
        "whose network is a transformer",
    ),
    # Samplers and their noise levels.
    "an unknown sampler": (configured(SAMPLER, _class_name="MyScheduler"), 'names the sampler "MyScheduler", which'),
    "no sampler": (configured(SAMPLER, _class_name=...), 'names the sampler "None", which'),
    "something else as the sampler": (configured(SAMPLER, _class_name="UNet2DModel"), "which diffusers does not have"),
    "levels that DDIM does not know": (configured(SAMPLER, beta_schedule="sigmoid"), "sigmoid is not implemented"),
    "levels that nobody knows": (
        configured(SAMPLER, _class_name="DDPMScheduler", beta_schedule="spiral"),
        "the noise levels of its DDPMScheduler cannot be computed: spiral",
    ),
    "levels of another shape": (
        configured(SAMPLER, _class_name="CogVideoXDDIMScheduler", snr_shift_scale=3.0),
        "DDIM cannot follow the noise levels of its CogVideoXDDIMScheduler",
    ),
    "levels that end in not-a-number": (configured(SAMPLER, beta_end=float("nan")), "end in not-a-number"),
    "levels below zero": (configured(SAMPLER, beta_end=4.0), "do not fall from 1 towards 0"),
    "levels that rise": (configured(SAMPLER, beta_start=-0.1, beta_schedule="linear"), "do not fall from 1 towards 0"),
    "levels without noise": (
        configured(SAMPLER, beta_start=0.0, beta_end=0.0),
        "do not fall from 1 towards 0: alpha_bar is 1 at first and 1 at last",
    ),
    "levels lost in rounding": (
        configured(SAMPLER, beta_start=0.5, beta_end=0.9),
        "do not fall from 1 towards 0",
    ),
    "levels in words": (configured(SAMPLER, beta_end="high"), "cannot be computed"),
    "levels missing": (configured(SAMPLER, beta_start=None), "cannot be computed"),
    "no training steps": (configured(SAMPLER, num_train_timesteps=0), "cannot be computed"),
    "training steps in words": (configured(SAMPLER, num_train_timesteps="many"), "cannot be computed"),
    "a list of too few levels": (configured(SAMPLER, trained_betas=[0.1, 0.2]), "2 noise levels for 1000 training"),
    "an unknown spacing": (
        configured(SAMPLER, timestep_spacing="even"),
        "timestep_spacing is 'even', expected leading",
    ),
    "predicts the picture": (configured(SAMPLER, prediction_type="sample"), 'predicts "sample", expected epsilon or'),
    # Something else.
    "an empty folder": (emptied, "is an empty folder"),
    "a U-Net alone": (moved_up("unet"), "is a U-Net alone"),
    "an autoencoder alone": (moved_up("vae"), "is an autoencoder alone"),
    "a text encoder alone": (moved_up("text_encoder"), "is a text encoder alone"),
    "weights alone": (then(moved_up("unet"), removed("config.json")), "is a U-Net alone"),
    "a ControlNet": (
        then(moved_up("unet"), configured("config.json", _class_name="ControlNetModel")),
        "is a ControlNet, which steers a model and is none",
    ),
    "a language model": (
        then(moved_up("text_encoder"), configured("config.json", architectures=["LlamaForCausalLM"])),
        "is a LlamaForCausalLM alone",
    ),
    "a LoRA of peft": (then(emptied, written("adapter_config.json", b"{}")), "is a LoRA"),
    "a folder of ONNX files": (then(emptied, written("model.onnx", b"\x08")), "is exported to ONNX"),
    "a folder with a pickle": (then(emptied, written("model.ckpt", b"\x80\x02")), "is a folder with pickles alone"),
    "no index": (removed("model_index.json"), "not a model in the diffusers layout: model_index.json is missing"),
}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as error:
        load_model(str(path), device="cpu", offline=True)
    said = str(error.value)
    assert "\n" not in said
    assert str(path) in said
    assert error.value.exit_code == 3
    return said


@pytest.mark.parametrize("name", FOLDERS)
def test_a_broken_folder_is_refused_for_its_reason(folders, tmp_path, name):
    change, reason = FOLDERS[name]
    shutil.copytree(folders["epsilon"], tmp_path / "m")
    change(tmp_path / "m")
    assert reason in refused(tmp_path / "m")


SECOND = "text_encoder_2/model.safetensors"
XL: dict[str, tuple[Change, str]] = {
    "second text encoder's layer missing": (
        weighed(SECOND, lambda t: t.pop("text_projection.weight")),
        "tensors of its text_encoder_2 are missing, such as text_projection.weight",
    ),
    "second vocabulary missing": (removed("tokenizer_2/tokenizer.json"), "no whole vocabulary of its tokenizer_2"),
    "another width": (configured("text_encoder_2/config.json", hidden_size=64), "of width 80, and its text encoders"),
    "an offset in words": (configured(SAMPLER, steps_offset="one"), "steps_offset is 'one'"),
    "another pooled width": (configured("text_encoder_2/config.json", projection_dim=48), "gets 48 + 48; its second"),
}


@pytest.mark.parametrize("name", XL)
def test_a_broken_folder_of_sdxl_is_refused_for_its_reason(folders, tmp_path, name):
    change, reason = XL[name]
    shutil.copytree(folders["xl"], tmp_path / "m")
    change(tmp_path / "m")
    assert reason in refused(tmp_path / "m")


def tensors(*names: str) -> dict[str, Tensor]:
    return {name: torch.zeros(2, 2) for name in names}


FILES: dict[str, tuple[dict[str, Tensor] | bytes, str]] = {
    "a LoRA of kohya": (tensors("lora_unet_down_blocks_1_attn2_to_k.lora_down.weight"), "is a LoRA, which changes"),
    "a LoRA of peft": (tensors("unet.down_blocks.1.attn2.to_k.lora_A.weight"), "is a LoRA, which changes"),
    "a LoRA of diffusers": (tensors("unet.down_blocks.1.attn2.processor.to_k_lora.up.weight"), "is a LoRA, which"),
    "a LoHa": (tensors("lora_te_text_model_encoder.hada_w1_a"), "is a LoRA, which changes"),
    "a LoKr": (tensors("diffusion_model.output_blocks.1.lokr_w1"), "is a LoRA, which changes"),
    "a textual inversion": (tensors("emb_params"), "is a textual inversion, which is one word of a model"),
    "a textual inversion of SDXL": (tensors("clip_l", "clip_g"), "is a textual inversion"),
    "a textual inversion of diffusers": (tensors("<my-cat>"), "is a textual inversion"),
    "a ControlNet": (tensors("control_model.input_hint_block.0.weight"), "is a ControlNet"),
    "a ControlNet of diffusers": (tensors("controlnet_cond_embedding.conv_in.weight", "conv_in.weight"), "ControlNet"),
    "an IP-Adapter": (tensors("image_proj.proj.weight", "ip_adapter.1.to_k_ip.weight"), "is an IP-Adapter"),
    "Flux": (tensors("double_blocks.0.img_attn.norm.key_norm.scale"), "is a transformer such as Flux"),
    "Flux of diffusers": (tensors("single_transformer_blocks.0.norm.linear.weight"), "is a transformer such as Flux"),
    "Stable Diffusion 3": (
        tensors("model.diffusion_model.joint_blocks.0.x_block.mlp.fc1.weight"),
        "a transformer such",
    ),
    "a U-Net alone": (tensors("down_blocks.0.resnets.0.conv1.weight", "conv_in.weight"), "is a U-Net alone"),
    "an original U-Net alone": (tensors("model.diffusion_model.input_blocks.0.0.weight"), "is a U-Net alone"),
    "an autoencoder alone": (tensors("encoder.down_blocks.0.resnets.0.conv1.weight"), "is an autoencoder alone"),
    "an original autoencoder alone": (tensors("first_stage_model.encoder.conv_in.weight"), "is an autoencoder alone"),
    "a text encoder alone": (tensors("text_model.embeddings.token_embedding.weight"), "is a text encoder alone"),
    "no autoencoder": (
        tensors("model.diffusion_model.out.0.weight", "cond_stage_model.transformer.x"),
        "is a model without its autoencoder",
    ),
    "something else": (tensors("layers.0.weight"), "is no model: its tensors have names such as layers.0.weight"),
    "nothing": ({}, "is a file without tensors"),
    "a pointer": (POINTER, "is a git-lfs pointer"),
    "a web page": (b"<html><body>404", "is a web page"),
    "a pickle": (b"\x80\x02}q\x00.", "is a pickle, which can run any program"),
    "GGUF": (b"GGUF\x03\0\0\0", "is a GGUF file"),
    "no bytes": (b"", "is empty"),
    "rubbish": (b"rubbish, and long enough", "could not be loaded"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_model_is_refused_as_what_it_is(tmp_path, name):
    data, reason = FILES[name]
    path = tmp_path / "style.safetensors"
    path.write_bytes(data) if isinstance(data, bytes) else save_file(data, path)
    assert reason in refused(path)


@pytest.mark.parametrize("kind", ["epsilon", "xl"])
@pytest.mark.parametrize("part", ["model.diffusion_model.", "first_stage_model.", "text"])
def test_a_single_file_without_some_tensors_is_refused(pipelines, folders, tmp_path, kind, part):
    shutil.copytree(folders[kind], tmp_path / "m")
    whole = original_tensors(pipelines[kind])
    start = part if part != "text" else ("cond_stage_model." if kind == "epsilon" else "conditioner.embedders.0.")
    lost = [name for name in sorted(whole) if name.startswith(start) and name.endswith("weight")][2]
    save_file({name: tensor for name, tensor in whole.items() if name != lost}, tmp_path / "m" / "one.safetensors")
    said = refused(tmp_path / "m" / "one.safetensors")
    assert "missing" in said or "could not be loaded" in said, said


def test_what_is_not_used_is_said_and_the_rest_is_the_same_model(folders, tmp_path, model):
    """As diffusers has it: tensors that belong to no layer are left out."""
    shutil.copytree(folders["epsilon"], tmp_path / "m")
    weighed(UNET, lambda t: t.__setitem__("extra.weight", torch.zeros(3)))(tmp_path / "m")
    with pytest.warns(Notice, match=r"1 tensors in the file of its unet belong to no layer.* such as extra.weight"):
        other = load_model(str(tmp_path / "m"), device="cpu")
    assert all(torch.equal(a, b) for a, b in zip(other.unet.parameters(), model.unet.parameters(), strict=True))


def test_a_vocabulary_in_two_files_is_the_same_one(folders, tmp_path, model):
    shutil.copytree(folders["epsilon"], tmp_path / "m")
    in_old_layout(tmp_path / "m")
    words = "a red ball on a wooden bench"
    other = load_model(str(tmp_path / "m"), device="cpu")
    assert other.texts.encoders[0].ids(words).tolist() == model.texts.encoders[0].ids(words).tolist()
