"""Reading inside the U-Net."""

import pytest
import torch

from inversion.taps import Sites, tap
from tests.tiny_models import PROMPT, random_latent


def hooks(unet) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in unet.modules())


def test_output_is_unchanged_and_hooks_are_gone(tiny):
    z, text = random_latent(), tiny.embed(PROMPT)
    plain = tiny.predict(z, 500, [text])
    with tap(tiny.unet, tiny.sites):
        read = tiny.predict(z, 500, [text])
    assert torch.equal(plain, read)
    assert hooks(tiny.unet) == 0


def test_hooks_are_gone_after_an_exception(tiny):
    with pytest.raises(RuntimeError, match="stop"), tap(tiny.unet, tiny.sites):
        raise RuntimeError("stop")
    assert hooks(tiny.unet) == 0


def test_hooks_are_gone_after_a_wrong_site(tiny):
    wrong = Sites(attention=(*tiny.sites.attention, "mid_block.no_such"))
    with pytest.raises(AttributeError), tap(tiny.unet, wrong):
        pass
    assert hooks(tiny.unet) == 0


def test_maps_have_the_frames_shape_and_sum_to_one(tiny):
    with tap(tiny.unet, tiny.sites) as tape:
        tiny.predict(random_latent(height=8, width=12), 500, [tiny.embed(PROMPT)])
    assert set(tape.attention) == set(tiny.sites.attention)
    for maps in tape.attention.values():
        assert maps.shape[1] == 24
        assert maps.shape[2] * 12 == maps.shape[3] * 8  # never taken for square
        torch.testing.assert_close(maps.sum(1), torch.ones_like(maps[:, 0]))
    (features,) = tape.features.values()
    assert features.shape[-2:] == (8, 12)


@pytest.mark.parametrize("which", [0, -1])
def test_maps_are_what_the_networks_own_attention_uses(tiny, which):
    """Ask diffusers for the same probabilities with its explicit processor."""
    model, name = tiny, tiny.sites.attention[which]
    module = model.unet.get_submodule(name)
    seen = []

    def read(m, args, kwargs, output):
        hidden, text = args[0], kwargs["encoder_hidden_states"]
        q = m.head_to_batch_dim(m.to_q(hidden))
        k = m.head_to_batch_dim(m.to_k(text))
        seen.append(m.get_attention_scores(q, k).mean(0))

    handle = module.register_forward_hook(read, with_kwargs=True)
    with tap(model.unet, model.sites) as tape:
        model.predict(random_latent(), 300, [model.embed(PROMPT)])
    handle.remove()
    torch.testing.assert_close(tape.attention[name][0].flatten(1).T, seen[0])


def test_second_pass_overwrites(tiny):
    with tap(tiny.unet, tiny.sites) as tape:
        tiny.predict(random_latent(0), 500, [tiny.embed(PROMPT)])
        first = {k: v.clone() for k, v in tape.attention.items()}
        tiny.predict(random_latent(1), 500, [tiny.embed(PROMPT)])
    assert len(tape.attention) == len(first)
    assert not any(torch.equal(first[k], tape.attention[k]) for k in first)


def test_gradient_reaches_the_latent_and_no_weight(tiny):
    z = random_latent().requires_grad_()
    with tap(tiny.unet, tiny.sites) as tape:
        tiny.predict(z, 500, [tiny.embed(PROMPT)])
    sum(m[:, 5].sum() for m in tape.attention.values()).backward()
    assert z.grad is not None
    assert z.grad.abs().sum() > 0
    assert all(p.grad is None for p in tiny.unet.parameters())


def test_probabilities_stay_float32_in_half_precision(folders):
    from inversion.loading import load_model

    half = load_model(str(folders["epsilon"]), device="cpu", dtype="bfloat16")
    with tap(half.unet, half.sites) as tape:
        output = half.predict(random_latent(), 500, [half.embed(PROMPT)])
    assert output.dtype == torch.float32
    assert {m.dtype for m in tape.attention.values()} == {torch.float32}
