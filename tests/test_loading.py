"""From a name to a model: families, variants, single files, schedulers, and what is refused."""

import copy
import json
import shutil
import warnings
from pathlib import Path

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    LMSDiscreteScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
)
from safetensors.torch import load_file, save_file

from inversion.errors import ModelError, Notice
from inversion.families import ModelFamily, check_scheduler, check_unet, family_of
from inversion.loading import load_model, model_of, plain_pipeline
from inversion.pipeline import pipeline_arguments
from inversion.problem import Inverted
from inversion.schedule import Schedule
from inversion.taps import tap
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from tests.original_layout import original_tensors
from tests.tiny_models import PROMPT, random_latent

SD = {
    "_class_name": "StableDiffusionPipeline",
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "text_encoder": ["transformers", "CLIPTextModel"],
}
XL = SD | {"text_encoder_2": ["transformers", "CLIPTextModelWithProjection"]}


def same(one, two) -> bool:
    """Whether two models have the same weights, noise levels and way with words, to the last bit."""
    weights = [[n.state_dict() for n in model.networks] for model in (one, two)]
    equal = [a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a) for a, b in zip(*weights, strict=True)]
    ids = [[e.ids(PROMPT).tolist() for e in model.texts.encoders] for model in (one, two)]
    return all(equal) and levels(one.schedule(7)) == levels(two.schedule(7)) and ids[0] == ids[1]


def test_families():
    assert family_of(SD, "a") is ModelFamily.ONE_TEXT
    assert family_of(XL, "a") is ModelFamily.TWO_TEXTS


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (XL | {"text_encoder": [None, None], "_class_name": "StableDiffusionXLImg2ImgPipeline"}, "as refiners are"),
        (
            {"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]},
            "a FluxPipeline, whose network is a transformer",
        ),
        (SD | {"text_encoder": ["transformers", "T5EncoderModel"]}, "is a T5EncoderModel and not a CLIPTextModel"),
        (SD | {"unet": ["diffusers", "UNet3DConditionModel"]}, "is a UNet3DConditionModel"),
        (SD | {"vae": ["diffusers", "VQModel"]}, "is a VQModel"),
        ({"_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet2DModel"]}, "without the U-Net and autoencoder"),
        ({}, "something else"),
    ],
)
def test_other_families_are_refused_in_one_line(index, said):
    with pytest.raises(ModelError, match=r"expected Stable Diffusion 1\.x, 2\.x or SDXL") as error:
        family_of(index, "a")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"in_channels": 9}, "9 input channels and not 4, as for inpainting"),
        ({"in_channels": 5}, "5 input channels"),
        ({"time_cond_proj_dim": 256}, "takes the guidance scale as an input"),
        ({"class_embed_type": "projection"}, 'class_embed_type "projection"'),
        ({"encoder_hid_dim_type": "ip_image_proj"}, 'encoder_hid_dim_type "ip_image_proj"'),
        ({"addition_embed_type": "text_time"}, 'whose condition is "text_time" and not "None"'),
    ],
)
def test_unets_that_want_more_are_refused(config, said):
    with pytest.raises(ModelError, match="expected Stable Diffusion") as error:
        check_unet(config, {"latent_channels": 4}, ModelFamily.ONE_TEXT, "a")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (dict(FlowMatchEulerDiscreteScheduler().config), "which has no DDIM steps"),
        (dict(DPMSolverMultistepScheduler(use_flow_sigmas=True, prediction_type="flow_prediction").config), "no DDIM"),
        ({"_class_name": "EDMEulerScheduler", "sigma_max": 80.0}, "which has no DDIM steps"),
        ({"_class_name": "DDIMScheduler", "beta_schedule": "linear", "prediction_type": "sample"}, 'predicts "sample"'),
    ],
)
def test_other_noise_levels_are_refused(config, said):
    with pytest.raises(ModelError, match=said):
        check_scheduler({"_class_name": "FlowMatchEulerDiscreteScheduler", **config}, "a")


def copied(folder: Path, target: Path) -> Path:
    shutil.copytree(folder, target)
    return target


def levels(schedule: Schedule) -> tuple:
    return schedule.timesteps, schedule.alpha_from.tolist(), schedule.alpha_to.tolist(), schedule.parameterisation


@pytest.mark.parametrize(
    "kind",
    [
        PNDMScheduler,
        EulerDiscreteScheduler,
        DPMSolverMultistepScheduler,
        LMSDiscreteScheduler,
        UniPCMultistepScheduler,
    ],
)
def test_any_sampler_becomes_ddim_over_the_same_noise_levels(folders, tmp_path, model, kind):
    """Said, once; and what `DDIMScheduler` makes of that configuration is what is walked."""
    folder = copied(folders["epsilon"], tmp_path / "m")
    kind.from_config(model.scheduler.config).save_pretrained(folder / "scheduler")
    with pytest.warns(Notice, match=f"sampled with DDIM and not with its own {kind.__name__}") as said:
        other = load_model(str(folder), device="cpu")
    assert len([w for w in said if w.category is Notice]) == 1
    theirs = DDIMScheduler.from_pretrained(folder, subfolder="scheduler", clip_sample=False)
    theirs.set_timesteps(10)
    ours = other.schedule(10)
    assert list(ours.timesteps) == theirs.timesteps.tolist()
    assert torch.equal(ours.alpha_from, theirs.alphas_cumprod[theirs.timesteps])
    if theirs.config.timestep_spacing == "leading":
        assert levels(ours) == levels(model.schedule(10))


def test_its_own_ddim_is_not_worth_a_word(folders):
    with warnings.catch_warnings():
        warnings.simplefilter("error", Notice)
        load_model(str(folders["v_prediction"]), device="cpu")


def test_variants(pipelines, folders, kind, tmp_path):
    """The one that is asked for, else plain weights, else the only ones there are; all as float32."""
    folder = tmp_path / "m"
    pipelines[kind].save_pretrained(folder)
    pipelines[kind].save_pretrained(folder, variant="fp16")
    for path in (folder / "unet").glob("*.fp16.*"):
        save_file({k: v.half() for k, v in load_file(path).items()}, path, {"format": "pt"})
    plain, half = (load_model(str(folder), device="cpu", variant=v) for v in (None, "fp16"))
    assert half.unet.dtype == torch.float32
    assert same(plain, load_model(str(folders[kind]), device="cpu"))
    assert not same(plain, half)
    assert plain.fingerprint != half.fingerprint
    for path in folder.glob("*/*model.safetensors"):
        path.unlink()
    assert same(load_model(str(folder), device="cpu"), half)
    with pytest.raises(ModelError, match='no weights of variant "ema"; it has: fp16'):
        load_model(str(folder), device="cpu", variant="ema")


def test_shards(pipelines, tmp_path, model):
    pipelines["epsilon"].save_pretrained(tmp_path / "m", max_shard_size="200KB")
    assert len(list((tmp_path / "m" / "unet").glob("*.safetensors"))) > 1
    assert same(load_model(str(tmp_path / "m"), device="cpu"), model)


@pytest.mark.parametrize("kind", ["epsilon", "xl"])
def test_one_file_is_the_same_model(pipelines, folders, tmp_path, kind):
    """In the layout of the original Stable Diffusion, beside the configuration of its folder."""
    folder = copied(folders[kind], tmp_path / "m")
    save_file(original_tensors(pipelines[kind]), folder / "one.safetensors")
    assert same(load_model(str(folder / "one.safetensors"), device="cpu"), load_model(str(folder), device="cpu"))


@pytest.mark.parametrize("layout", ["folder", "file"])
def test_the_same_weights_set_otherwise_are_another_model(pipelines, folders, tmp_path, layout):
    """What was recorded with one noise schedule must not be taken for the other's."""
    folder = copied(folders["epsilon"], tmp_path / "m")
    save_file(original_tensors(pipelines["epsilon"]), folder / "one.safetensors")
    name = str(folder if layout == "folder" else folder / "one.safetensors")
    before = load_model(name, device="cpu").fingerprint
    assert load_model(name, device="cpu").fingerprint == before
    path = folder / "scheduler" / "scheduler_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"beta_end": 0.013}))
    assert load_model(name, device="cpu").fingerprint != before


def test_one_file_without_a_configuration_says_whose_it_needs(pipelines, tmp_path):
    """It is taken for what diffusers takes it for; offline it cannot be looked up."""
    save_file(original_tensors(pipelines["epsilon"]), tmp_path / "one.safetensors")
    with pytest.raises(ModelError, match='that of "stable-diffusion-v1-5/stable-diffusion-v1-5", is not on this'):
        load_model(str(tmp_path / "one.safetensors"), device="cpu", offline=True)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.safetensors", b"rubbish", "could not be loaded"),
        ("a.ckpt", b"rubbish", "other files may hold programs"),
        ("a.txt", b"rubbish", "expected Stable Diffusion"),
    ],
)
def test_other_files_are_refused(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=said):
        load_model(str(tmp_path / name))


def test_a_loaded_pipeline_with_what_was_loaded_into_it(pipelines, kind, tiny):
    """As a user with LoRA weights has it: the pipeline's own networks, in its state, under another fingerprint."""
    pipe = pipelines[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)
        plain = model_of(pipe)
    assert [p.data_ptr() for p in plain.unet.parameters()] == [p.data_ptr() for p in pipe.unet.parameters()]
    assert same(plain, tiny)
    name = next(n for n in pipe.unet.state_dict() if n.endswith("attn2.to_k.weight"))
    weight = pipe.unet.get_parameter(name)
    before = weight.clone()
    try:
        weight.data.add_(0.1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Notice)
            changed = model_of(pipe)
        assert changed.fingerprint != plain.fingerprint
        assert not same(changed, tiny)
    finally:
        weight.data.copy_(before)


def test_a_prompt_that_is_too_long_is_cut_and_said(tiny):
    words = " ".join(["ball"] * 40)
    with pytest.warns(Notice, match='does not read "ball ball'):
        embedding = tiny.embed(words)
    assert embedding.tokens.shape[1] == 24
    unread = tiny.texts.unread(words)
    assert words.endswith(unread)
    assert torch.equal(tiny.embed(words[: -len(unread)].rstrip()).tokens, embedding.tokens)
    assert tiny.texts.unread(PROMPT) == ""


def test_a_damaged_configuration(folders, tmp_path):
    folder = copied(folders["epsilon"], tmp_path / "m")
    (folder / "vae" / "config.json").write_text("{")
    with pytest.raises(ModelError, match="not readable as JSON"):
        load_model(str(folder))
    (folder / "vae" / "config.json").unlink()
    with pytest.raises(ModelError, match=r"config.json is missing"):
        load_model(str(folder))
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"unet": [None, None]}))
    with pytest.raises(ModelError, match="without the U-Net"):
        load_model(str(folder))


@pytest.mark.filterwarnings("ignore::inversion.errors.Notice")
def test_of_a_pipeline_in_half_precision_all_but_the_unet_becomes_float32(pipelines, kind):
    model = model_of(copy.deepcopy(pipelines[kind]).to(torch.bfloat16))
    assert model.unet.dtype == torch.bfloat16
    assert {n.dtype for n in model.networks[1:]} == {torch.float32}
    latent = model.encode(torch.rand(1, 3, 32, 48))
    assert torch.isfinite(model.predict(latent, 500, [model.embed(PROMPT)])).all()
    assert model.decode(latent).shape == (1, 3, 32, 48)


@pytest.mark.filterwarnings("ignore::inversion.errors.Notice")
def test_lora_weights_keep_working(pipelines, kind):
    """Loaded into a pipeline by its own means, they act in sampling and in what is read, and have a fingerprint."""
    from peft import LoraConfig

    pipe = copy.deepcopy(pipelines[kind])
    plain = model_of(pipe).fingerprint
    pipe.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    torch.manual_seed(0)
    for name, weight in pipe.unet.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.2)
    model, z = model_of(pipe), random_latent(height=16, width=16)
    assert model.fingerprint != plain
    rows = Conditioning(model.embed(PROMPT), model.unprompted().repeat(4), 5.0)
    ours = sample(model, z, model.schedule(4), rows)
    found = Inverted(z, rows.unconditional, 5.0)
    theirs = plain_pipeline(model)(**pipeline_arguments(model, found, PROMPT), output_type="latent").images
    assert torch.equal(ours, theirs)

    name, seen = model.sites.attention[0], []
    module = model.unet.get_submodule(name)

    def read(m, args, kwargs, output):
        q, k = m.head_to_batch_dim(m.to_q(args[0])), m.head_to_batch_dim(m.to_k(kwargs["encoder_hidden_states"]))
        seen.append(m.get_attention_scores(q, k).mean(0))

    handle = module.register_forward_hook(read, with_kwargs=True)
    with tap(model.unet, model.sites) as tape:
        model.predict(z.requires_grad_(), 300, [rows.prompt])
    handle.remove()
    torch.testing.assert_close(tape.attention[name][0].flatten(1).T, seen[0])
    tape.attention[name][:, 3].sum().backward()
    assert z.grad.abs().sum() > 0
    assert all(p.grad is None for p in model.unet.parameters())
