"""What guided steps need, and what is spared to fit a device."""

from dataclasses import replace

import pytest
import torch

from inversion.footprint import Memory, Need, _Kept, bytes_of, kept_for_gradient
from inversion.loading import load_model
from inversion.taps import tap
from realedit.sampling.guidance import Guidance
from realedit.sampling.prediction import Conditioning, Step
from tests.test_sampler import centroid_guidance
from tests.tiny_models import PROMPT, random_latent


def gradient(model) -> tuple[float, torch.Tensor, torch.Tensor]:
    guidance: Guidance = centroid_guidance(model, 4, (0.2, 0.2))
    step = Step(model, model.schedule(4), Conditioning.plain(model, PROMPT, 4, 4.0), 2)
    found = step.energy_gradient(random_latent(), guidance)
    return guidance.history[-1].energy, *found


def test_counted_on_shapes_is_what_a_pass_keeps(tiny):
    """But for the little by which kernels differ from what is counted."""
    text, z = tiny.embed(PROMPT), random_latent(height=16, width=24).requires_grad_()
    kept = _Kept({p.untyped_storage()._cdata for p in tiny.unet.parameters()})
    with torch.autograd.graph.saved_tensors_hooks(kept, lambda tensor: tensor):
        tiny.predict(z, 500, [text])
    counted = kept_for_gradient(tiny.unet, (16, 24), text.tokens.shape[1], checkpointed=False)
    assert counted == pytest.approx(kept.bytes, rel=0.1)
    assert kept_for_gradient(tiny.unet, (16, 24), 24, checkpointed=True) < counted


@pytest.mark.parametrize("memory", [Memory.CHECKPOINTED, Memory.LEAN])
def test_gradients_are_the_same_to_the_bit_whatever_is_spared(kind, folders, tiny, memory):
    spared = load_model(str(folders[kind]), device="cpu", memory=memory)
    plain, other = gradient(tiny), gradient(spared)
    assert plain[0] == other[0]
    assert all(torch.equal(a, b) for a, b in zip(plain[1:], other[1:], strict=True))


def test_computing_again_is_counted(folders):
    """A forward more, where activations are not kept."""
    spared = load_model(str(folders["epsilon"]), device="cpu", memory=Memory.CHECKPOINTED)
    with spared.metered() as meter:
        gradient(spared)
    assert meter.forward_equivalents == pytest.approx(3.08)


def test_checkpointing_keeps_less(kind, folders, tiny):
    """Counted while it runs, with the attention that is read."""
    spared, kept = load_model(str(folders[kind]), device="cpu", memory=Memory.CHECKPOINTED), []
    for model in (tiny, spared):
        count = _Kept({p.untyped_storage()._cdata for p in model.unet.parameters()})
        z = random_latent(height=16, width=16).requires_grad_()
        with torch.autograd.graph.saved_tensors_hooks(count, lambda t: t), tap(model.unet, model.sites):
            model.predict(z, 500, [model.embed(PROMPT)])
        kept.append(count.bytes)
    assert kept[1] < 0.5 * kept[0]


def test_the_first_choice_that_fits(tiny):
    texts = tuple(e.network for e in tiny.texts.encoders)
    need = Need(tiny.unet, tiny.vae, texts, (16, 16), 24)
    fast, checkpointed, lean = (need.bytes(m) for m in (Memory.FAST, Memory.CHECKPOINTED, Memory.LEAN))
    assert bytes_of([tiny.unet]) < lean < checkpointed < fast
    assert need.choice(10**12) is Memory.FAST
    assert need.choice(int(fast / 0.9) + 1) is Memory.FAST
    assert need.choice(fast) is Memory.CHECKPOINTED
    assert need.choice(checkpointed) is Memory.LEAN
    assert need.choice(0) is Memory.LEAN


def test_lean_puts_away_what_does_not_work(tiny):
    """On a device that is there without being one: what is away is on the CPU, and at work it would be there."""
    moved = []
    network = type("Network", (), {"device": torch.device("cpu"), "to": lambda self, d: moved.append(str(d))})()
    parts = replace(tiny.parts, vae=network, memory=Memory.LEAN)
    lean = replace(tiny, load=lambda: parts, device=torch.device("meta"))
    with lean._at_work(network):
        pass
    assert moved == ["meta"]
