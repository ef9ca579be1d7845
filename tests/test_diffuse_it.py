"""DiffuseIT: what a vision transformer's keys are, what its energies ask for, and what is refused."""

import pytest
import torch
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModel, ViTConfig, ViTModel

from inversion.errors import ModelError
from inversion.taps import Tape
from realedit.engines import DiffuseIT
from realedit.methods.diffuse_it import LookEnergy, StructureEnergy, diffuse_it
from realedit.methods.sampler_run import Task
from realedit.methods.vision_transformer import MEAN, SPREAD, load_vision_transformer
from realedit.sampling.descriptors import EncoderDescriptor
from realedit.sampling.session import Session
from realedit.settings import Settings
from tests.conftest import CAPTIONS, PROMPT

HEIGHT, WIDTH, STEPS = 24, 40, 5


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    """A tiny random one, as people share them."""
    folder = tmp_path_factory.mktemp("vit")
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    ViTModel(ViTConfig(**small, image_size=32, patch_size=8)).save_pretrained(folder)
    return folder


def picture(seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))


def task_of(model, free=None, descriptor=None) -> Task:
    session = Session(model, Settings(steps=STEPS, seed=3, method="ddim"), descriptor=descriptor)
    everywhere = torch.ones(1, 1, HEIGHT, WIDTH)
    return Task(session, picture(), PROMPT, CAPTIONS[1], everywhere if free is None else free)


def test_the_keys_are_those_of_the_last_layer(vit):
    seen = load_vision_transformer(str(vit), "cpu", offline=True)
    places, whole = seen(picture())
    assert places.shape == (16, 16)  # 4 x 4 patches, 16 numbers each
    assert whole.shape == (1, 16)
    shown = F.interpolate(picture(), size=(32, 32), mode="bicubic", antialias=True)
    mean, spread = (torch.tensor(v)[:, None, None] for v in (MEAN, SPREAD))
    before = seen.network((shown - mean) / spread, output_hidden_states=True).hidden_states[-2]
    layer = seen.network.layers[-1]
    keys = layer.attention.k_proj(layer.layernorm_before(before))[0]
    torch.testing.assert_close(torch.cat((whole, places)), keys, atol=1e-5, rtol=1e-4)


def test_what_is_no_vision_transformer_is_told_in_one_line(tmp_path):
    config = CLIPTextConfig(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
    CLIPTextModel(config).save_pretrained(tmp_path / "words")
    (tmp_path / "file").write_text("none")
    for name, said in (
        ("words", "expected a vision"),
        ("nothing", "cannot be had"),
        ("file", "is a file; give"),
    ):
        with pytest.raises(ModelError, match=said) as error:
            load_vision_transformer(str(tmp_path / name), "cpu", offline=True)
        assert "\n" not in str(error.value)
        assert name in str(error.value)


@pytest.mark.parametrize("kind", ["transformer", "autoencoder"])
def test_structure_is_zero_for_the_photo_and_more_for_what_is_less_like_it(model, vit, kind):
    seen = EncoderDescriptor(model) if kind == "autoencoder" else load_vision_transformer(str(vit), "cpu", offline=True)
    photo = model.picture(model.encode(picture()))
    energy = StructureEnergy(model, seen, seen(photo)[0])

    def of(latent: torch.Tensor) -> float:
        return float(energy(Tape(clean=latent), 0))

    own, other = model.encode(picture()), model.encode(picture(1))
    assert of(own) == pytest.approx(0, abs=1e-5)
    assert 0 < of(own + 0.2 * (other - own)) < of(other)


def test_a_look_is_zero_for_the_picture_itself_and_its_gradient_leads_there(model, vit):
    seen = load_vision_transformer(str(vit), "cpu", offline=True)
    other = model.picture(model.encode(picture(1)))
    energy = LookEnergy(model, seen, seen(other)[1], other)
    assert float(energy(Tape(clean=model.encode(picture(1))), 0)) == pytest.approx(0, abs=1e-6)
    latent = model.encode(picture()).requires_grad_()
    value = energy(Tape(clean=latent), 0)
    (gradient,) = torch.autograd.grad(value, latent)
    assert float(energy(Tape(clean=(latent - 1e-3 * gradient / gradient.norm()).detach()), 0)) < value.item()


def test_the_picture_keeps_more_of_the_structure_and_what_is_held_is_the_photo(model, vit):
    seen = load_vision_transformer(str(vit), "cpu", offline=True)
    free = torch.zeros(1, 1, HEIGHT, WIDTH)
    free[..., WIDTH // 2 :] = 1
    task = task_of(model, free, seen)
    energy = StructureEnergy(model, seen, seen(task.image)[0])
    found = {}
    for until in (0.0, 1.0):
        run = diffuse_it(task, DiffuseIT(strength=0.8, first_again=2, until=until, eta=0, guidance_scale=2))
        found[until] = run.latent(task.session)
    half = found[1.0].shape[-1] // 2
    assert torch.equal(found[1.0][..., :half], task.latent[..., :half])
    assert float(energy(Tape(clean=found[1.0]), 0)) < float(energy(Tape(clean=found[0.0]), 0))


def test_the_first_step_is_done_again(model):
    walk = diffuse_it(task_of(model), DiffuseIT(strength=0.6, first_again=3)).walk
    assert walk == (2, 3, 2, 3, 2, 3, 4, 5)
