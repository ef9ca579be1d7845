"""`model_of(pipe)`: the pipeline stays as it is, and what is set there acts in the model."""

import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from peft import LoraConfig
from torch import Tensor, nn

from inversion.errors import ModelError
from inversion.loading import model_of, plain_pipeline
from inversion.model import DiffusionModel
from inversion.pipeline import pipeline_arguments
from inversion.problem import Inverted
from inversion.taps import tap
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from tests.tiny_models import PROMPT, random_latent, tiny_pipeline, tiny_tokenizer, tiny_xl_pipeline

pytestmark = pytest.mark.filterwarnings("ignore")
CASTING = {"storage_dtype": torch.float8_e4m3fn, "compute_dtype": torch.float32}
FREEU = {"s1": 0.9, "s2": 0.2, "b1": 1.4, "b2": 1.6}
STEPS = 2


TOKENIZER = tiny_tokenizer()  # one for all: training another orders its words otherwise


@functools.cache
def made(kind: str) -> Any:
    return tiny_xl_pipeline() if kind == "xl" else tiny_pipeline("epsilon", linear=False, levels=2)


def fresh(kind: str = "epsilon") -> Any:
    """A pipeline that nothing was set in yet. What is set in it at random is always the same."""
    torch.manual_seed(3)
    pipe = copy.deepcopy(made(kind))
    pipe.tokenizer = TOKENIZER
    return pipe


def with_lora(pipe: Any, name: str = "style", seed: int = 0) -> Any:
    """LoRA weights in the U-Net, as diffusers' own loading leaves them there."""
    pipe.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_out.0"]), name)
    generator = torch.Generator().manual_seed(seed)
    for place, weight in pipe.unet.named_parameters():
        if f"lora_B.{name}" in place:
            weight.data = torch.randn(weight.shape, generator=generator) * 0.2
    return pipe


def compiled_inside(pipe: Any) -> None:
    pipe.unet.mid_block = torch.compile(pipe.unet.mid_block)
    pipe.unet.down_blocks[1] = torch.compile(pipe.unet.down_blocks[1])


def offloaded_in_groups(pipe: Any) -> None:
    place = torch.device("cpu")
    pipe.unet.enable_group_offload(onload_device=place, offload_device=place, offload_type="leaf_level")


SET: dict[str, Callable[[Any], object]] = {
    "as loaded": lambda pipe: None,
    "compiled": lambda pipe: setattr(pipe, "unet", torch.compile(pipe.unet)),
    "compiled, all of it": lambda pipe: [setattr(pipe, p, torch.compile(getattr(pipe, p))) for p in ("vae", "unet")],
    "compiled in place": lambda pipe: pipe.unet.compile(),
    "compiled by blocks": lambda pipe: pipe.unet.compile_repeated_blocks(),
    "compiled inside": compiled_inside,
    "fused": lambda pipe: pipe.fuse_qkv_projections(),
    "offloaded by models": lambda pipe: pipe.enable_model_cpu_offload(device="cpu"),
    "offloaded in groups": offloaded_in_groups,
    "in channels-last": lambda pipe: pipe.unet.to(memory_format=torch.channels_last),
    "sliced": lambda pipe: [pipe.enable_attention_slicing(1), pipe.vae.enable_slicing()],
    "tiled": lambda pipe: pipe.vae.enable_tiling(),
    "checkpointed": lambda pipe: pipe.unet.enable_gradient_checkpointing(),
    "in training": lambda pipe: pipe.unet.train(),
}


def state_of(pipe: Any) -> list[Any]:
    """All of a pipeline that a model of it might change: of every module its class, mode, dtypes, devices, what wants a
    gradient, where its tensors lie, and its attributes; and the sampler's configuration."""
    found: list[Any] = [dict(pipe.scheduler.config)]
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        network = getattr(pipe, part, None)
        for name, module in network.named_modules() if network is not None else ():
            found.append([part, name, id(module), type(module), module.training, sorted(vars(module))])
            found.append([module.__dict__.get("forward"), getattr(module, "gradient_checkpointing", None)])
        for tensor in [*network.parameters(), *network.buffers()] if network is not None else ():
            found.append([id(tensor), tensor.dtype, tensor.device, tensor.requires_grad, tensor.stride()])
            found.append([tensor.data_ptr(), tensor.grad is None])
    return found


def latent_of(model: DiffusionModel) -> Tensor:
    z = random_latent(height=8, width=12)
    return sample(model, z, model.schedule(STEPS), Conditioning.plain(model, PROMPT, STEPS, 4.0))


def guided(model: DiffusionModel) -> Iterator[Tensor]:
    """The attention that is read, and its gradient in the latent."""
    z = random_latent(height=8, width=12).requires_grad_()
    with tap(model.unet, model.sites) as tape:
        model.predict(z, 300, [model.embed(PROMPT)])
        maps = tape.attention[model.sites.attention[0]]
        yield maps.detach()
        yield torch.autograd.grad(maps[:, 3].square().sum(), z)[0]


def seen_of(model: DiffusionModel) -> list[Tensor]:
    """What a model makes of a latent and of a photo, and what it attends to."""
    photo = torch.rand(1, 3, 32, 24, generator=torch.Generator().manual_seed(0))
    return [latent_of(model), model.decode(model.encode(photo)), *guided(model)]


@pytest.fixture(scope="module")
def reference() -> list[Tensor]:
    return seen_of(model_of(fresh()))


@pytest.mark.parametrize("name", SET)
def test_any_kind_of_pipeline_works_and_stays_as_it_is(reference, name):
    pipe = fresh()
    SET[name](pipe)
    before = state_of(pipe)
    limits = 1e-4, 1e-4, 1e-5, 1e-5
    for ours, expected, limit in zip(seen_of(model_of(pipe)), reference, limits, strict=True):
        assert torch.allclose(ours, expected, atol=limit)
    assert state_of(pipe) == before


@pytest.mark.parametrize(
    ("kind", "dtype"), [("epsilon", torch.bfloat16), ("epsilon", torch.float16), ("xl", torch.float16)]
)
def test_a_pipeline_in_half_precision_stays_in_it(kind, dtype):
    pipe = fresh(kind).to(dtype)
    arguments = {"num_inference_steps": 1, "height": 16, "width": 16, "output_type": "pt"}

    def drawn() -> Tensor:
        return pipe(PROMPT, generator=torch.Generator().manual_seed(0), **arguments).images

    picture = drawn()
    before, model = state_of(pipe), model_of(pipe)
    assert model.unet.dtype == dtype
    assert {n.dtype for n in model.networks[1:]} == {torch.float32}
    assert torch.isfinite(latent_of(model)).all()
    assert state_of(pipe) == before
    assert torch.equal(drawn(), picture)


@pytest.mark.parametrize("kind", ["epsilon", "xl"])
def test_weights_are_shared_and_not_copied(kind):
    pipe = fresh(kind)
    model = model_of(pipe)
    for ours, theirs in ((model.unet, pipe.unet), (model.vae, pipe.vae)):
        assert [p.data_ptr() for p in ours.parameters()] == [p.data_ptr() for p in theirs.parameters()]
    assert not any(p.requires_grad for network in model.networks for p in network.parameters())


def test_weights_cast_to_8_bits_act_as_they_do_there():
    pipe = fresh()
    pipe.unet.enable_layerwise_casting(**CASTING)
    before, model = state_of(pipe), model_of(pipe)
    assert state_of(pipe) == before
    assert {p.dtype for p in model.unet.parameters()} == {torch.float32}
    text, z = model.embed(PROMPT), random_latent(height=8, width=12)
    assert torch.equal(model.predict(z, 500, [text]), pipe.unet(z, 500, encoder_hidden_states=text.tokens).sample)
    assert not torch.allclose(model.predict(z, 500, [text]), model_of(fresh()).predict(z, 500, [text]), atol=1e-3)
    assert all(torch.isfinite(values).all() for values in guided(model))


def quantised(pipe: Any) -> None:
    pipe.unet.is_quantized = True


def patched(pipe: Any) -> None:
    pipe.unet.mid_block.forward = lambda *args, **kwargs: args[0]


def in_8_bits(pipe: Any) -> None:
    nn.Module.to(pipe.unet, torch.float8_e4m3fn)


REFUSED: dict[str, tuple[Callable[[Any], object], str]] = {
    "offloaded by layers": (
        lambda pipe: pipe.enable_sequential_cpu_offload(device="cpu"),
        "offloaded layer by layer, so that its weights are not there",
    ),
    "quantised": (quantised, "its U-Net is quantised, which is not supported"),
    "in 8 bits": (in_8_bits, "its U-Net is in torch.float8_e4m3fn; load it in float32"),
    "patched": (patched, "another program replaced the forward of mid_block"),
    "without a U-Net": (lambda pipe: setattr(pipe, "unet", None), "without the U-Net"),
    "with infinite weights": (
        lambda pipe: pipe.unet.conv_in.weight.data.fill_(float("inf")),
        "the weights of its unet hold infinite numbers",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_shared_is_refused_in_one_line(name):
    change, reason = REFUSED[name]
    pipe = fresh()
    change(pipe)
    with pytest.raises(ModelError) as error:
        model_of(pipe)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_freeu_acts_as_in_the_pipeline():
    pipe = fresh()
    plain = latent_of(model_of(pipe))
    pipe.enable_freeu(**FREEU)
    model = model_of(pipe)
    z, rows = random_latent(height=8, width=12), Conditioning.plain(model, PROMPT, STEPS, 4.0)
    found = Inverted(z, rows.unconditional, 4.0)
    theirs = pipe(**pipeline_arguments(model, found, PROMPT), output_type="latent").images
    assert torch.equal(latent_of(model), theirs)
    assert not torch.allclose(theirs, plain, atol=1e-2)
    pipe.disable_freeu()
    assert torch.equal(latent_of(model), theirs)  # as it was set at the time
    assert torch.equal(latent_of(model_of(pipe)), plain)


def with_other_padding() -> Any:
    tokenizer = copy.deepcopy(TOKENIZER)
    tokenizer.pad_token = "a"
    return tokenizer


ACTING: dict[str, Callable[[Any], object]] = {
    "nothing": lambda pipe: None,
    "a LoRA": with_lora,
    "another LoRA": lambda pipe: with_lora(pipe, seed=1),
    "half of it": lambda pipe: with_lora(pipe).unet.set_adapters(["style"], [0.5]),
    "none of it": lambda pipe: with_lora(pipe).unet.set_adapters(["style"], [0.0]),
    "switched off": lambda pipe: with_lora(pipe).unet.disable_adapters(),
    "two": lambda pipe: with_lora(with_lora(pipe), "face", 1).unet.set_adapters(["style", "face"], [1.0, 1.0]),
    "one of two": lambda pipe: with_lora(with_lora(pipe), "face", 1).unet.set_adapters(["style"], [1.0]),
    "the other of two": lambda pipe: with_lora(with_lora(pipe), "face", 1).unet.set_adapters(["face"], [1.0]),
    "fused in": lambda pipe: with_lora(pipe).unet.fuse_lora(),
    "fused in by half": lambda pipe: with_lora(pipe).unet.fuse_lora(lora_scale=0.5),
    "FreeU": lambda pipe: pipe.enable_freeu(**FREEU),
    "more FreeU": lambda pipe: pipe.enable_freeu(**{**FREEU, "b1": 1.5}),
    "another text encoder": lambda pipe: pipe.text_encoder.final_layer_norm.bias.data.add_(0.01),
    "another autoencoder": lambda pipe: pipe.vae.decoder.conv_out.bias.data.add_(0.01),
    "signs swapped": lambda pipe: pipe.unet.conv_in.weight.data.neg_(),
    "rows swapped": lambda pipe: pipe.unet.conv_in.weight.data.copy_(pipe.unet.conv_in.weight.data.flip(0)),
    "one bit": lambda pipe: pipe.unet.conv_in.weight.data.view(torch.int32)[0, 0, 0, :1].bitwise_xor_(1),
    "half precision": lambda pipe: pipe.to(torch.bfloat16),
    "another padding": lambda pipe: setattr(pipe, "tokenizer", with_other_padding()),
    "other noise levels": lambda pipe: setattr(pipe, "scheduler", type(pipe.scheduler)(beta_end=0.013)),
}


@pytest.fixture(scope="module")
def marks() -> dict[str, str]:
    found = {}
    for name, change in ACTING.items():
        pipe = fresh()
        change(pipe)
        found[name] = model_of(pipe).fingerprint
    return found


def test_whatever_acts_has_a_fingerprint_of_its_own(marks):
    assert len(set(marks.values())) == len(ACTING)
    assert all(len(mark) == 16 for mark in marks.values())


@pytest.mark.parametrize("name", ["nothing", "half of it", "FreeU"])
def test_the_same_has_the_same_fingerprint(marks, name):
    pipe = fresh()
    ACTING[name](pipe)
    model = model_of(pipe)
    latent_of(model)
    assert model.fingerprint == model_of(pipe).fingerprint == marks[name]


def test_what_is_taken_out_again_leaves_the_fingerprint_of_before(marks):
    pipe = with_lora(fresh())
    pipe.unet.delete_adapters(["style"])
    pipe.enable_freeu(**FREEU)
    pipe.disable_freeu()
    pipe.unet.unload_lora()
    assert model_of(pipe).fingerprint == marks["nothing"]


@pytest.mark.parametrize("name", ["half of it", "switched off", "one of two", "fused in by half"])
def test_lora_weights_act_as_they_are_set_at_the_time(name):
    pipe = fresh()
    ACTING[name](pipe)
    model = model_of(pipe)
    ours = latent_of(model)
    z, rows = random_latent(height=8, width=12), Conditioning.plain(model, PROMPT, STEPS, 4.0)
    theirs = pipe(
        **pipeline_arguments(model, Inverted(z, rows.unconditional, 4.0), PROMPT), output_type="latent"
    ).images
    assert torch.equal(ours, theirs)
    pipe.unet.set_adapters(pipe.unet.active_adapters(), 0.1) if name != "switched off" else pipe.unet.enable_adapters()
    assert torch.equal(latent_of(model), ours)
    assert torch.equal(latent_of(plain_model(model)), ours)


def plain_model(model: DiffusionModel) -> DiffusionModel:
    """The model of a pipeline that shares a model's networks."""
    return model_of(plain_pipeline(model))
