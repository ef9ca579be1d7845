"""References: saved whole, loaded equal, refused where they do not belong."""

from dataclasses import replace

import pytest
import torch
from safetensors import safe_open

from inversion import ddim
from inversion.errors import ReferenceMismatch
from inversion.methods import METHODS
from inversion.problem import InversionProblem
from inversion.record import Recorder, record
from inversion.reference import Header, Reference, cache_key
from tests.tiny_models import PROMPT, random_latent

STEPS = 3


@pytest.fixture(scope="module")
def reference(tiny) -> Reference:
    schedule = tiny.schedule(STEPS)
    inverted = ddim.invert(InversionProblem(tiny, random_latent(), PROMPT, schedule, 2.0))
    return record(tiny, inverted, PROMPT, schedule, "ddim")


def test_recorded_what_and_how_much(tiny, reference):
    length = tiny.texts.length(PROMPT)
    assert reference.pivots.shape == (STEPS + 1, 4, 8, 12)
    assert len(reference.unconditional) == STEPS
    assert set(reference.attention) == set(tiny.sites.attention)
    for maps in reference.attention.values():
        assert maps.shape[:2] == (STEPS, length)
        assert not maps.requires_grad
    assert all(f.shape[-2:] == (4, 6) for f in reference.features.values())
    assert reference.header.timesteps == tiny.schedule(STEPS).timesteps


def test_recorded_maps_are_those_of_the_prompted_row_at_the_pivots(tiny, reference):
    from inversion.taps import tap

    with torch.no_grad(), tap(tiny.unet, tiny.sites) as tape:
        tiny.predict(reference.pivots[1:2], reference.header.timesteps[1], [tiny.embed(PROMPT)])
    for name, maps in reference.attention.items():
        torch.testing.assert_close(maps[1].float(), tape.attention[name][0, : maps.shape[1]], atol=1e-3, rtol=1e-3)


def test_round_trip_is_equal_leaf_by_leaf(reference, tmp_path):
    reference.save(tmp_path / "photo.safetensors")
    back = Reference.load(tmp_path / "photo.safetensors", reference.header)
    assert back.header == reference.header
    assert torch.equal(back.pivots, reference.pivots)
    assert torch.equal(back.unconditional.tokens, reference.unconditional.tokens)
    for group in ("attention", "features"):
        mine, theirs = getattr(reference, group), getattr(back, group)
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[k], theirs[k]) for k in mine)
    assert [p.name for p in tmp_path.iterdir()] == ["photo.safetensors"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("model", "another", "'another'"),
        ("prompt", "a cat", "'a cat'"),
        ("method", "null-text", "'null-text'"),
        ("guidance_scale", 7.5, "guidance_scale 2.0, but 7.5"),
        ("timesteps", (801, 601, 401, 201, 1), "step count 3, but 5"),
    ],
)
def test_mismatch_names_both_values(reference, tmp_path, field, value, said):
    path = tmp_path / "photo.safetensors"
    reference.save(path)
    with pytest.raises(ReferenceMismatch, match="was made with") as error:
        Reference.load(path, replace(reference.header, **{field: value}))
    assert said in str(error.value)


@pytest.mark.parametrize("keep", [0, 1, 7, 100, 0.5, 0.99])
def test_cut_off_file_is_refused(reference, tmp_path, keep):
    path = tmp_path / "photo.safetensors"
    reference.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else int(keep)])
    with pytest.raises(ReferenceMismatch, match="not a whole reference"):
        Reference.load(path, reference.header)


def test_cache_key_depends_on_every_pixel_and_setting():
    header = Header("m", "p", "ddim", (500, 1), 7.5)
    photo = torch.rand(1, 3, 8, 12)
    changed = photo.clone()
    changed[0, 0, 0, 0] = 1 - changed[0, 0, 0, 0].round()
    keys = {
        cache_key(photo, header),
        cache_key(changed, header),
        cache_key(photo.reshape(1, 3, 12, 8), header),
        *(
            cache_key(photo, replace(header, **c))
            for c in ({"model": "n"}, {"prompt": "q"}, {"method": "x"}, {"timesteps": (500,)}, {"guidance_scale": 1.0})
        ),
    }
    assert len(keys) == 8
    assert cache_key(photo.clone(), header) == cache_key(photo, header)


@pytest.mark.parametrize("method", METHODS)
def test_watching_an_inversion_shows_what_looking_afterwards_does(tiny, method):
    """What a method shows on its way is what its pivots show, but for where its way left them."""
    schedule, latent = tiny.schedule(STEPS), random_latent()
    recorder = Recorder(tiny, PROMPT, schedule)
    found = METHODS[method](InversionProblem(tiny, latent, PROMPT, schedule, 2.0, watch=recorder.step))
    watched, afterwards = recorder.finish(found, method), record(tiny, found, PROMPT, schedule, method)
    assert watched.header == afterwards.header
    for name, maps in afterwards.attention.items():
        assert torch.allclose(watched.attention[name].float(), maps.float(), atol=0.02)
    for name, features in afterwards.features.items():
        assert watched.features[name].shape == features.shape


@pytest.mark.parametrize("method", ["null-text", "fixed-point", "residual"])
def test_watching_what_is_passed_anyway_costs_no_pass(tiny, method):
    schedule, costs = tiny.schedule(STEPS), []
    recorder = Recorder(tiny, PROMPT, schedule)
    problem = InversionProblem(tiny, random_latent(), PROMPT, schedule, 2.0, watch=recorder.step)
    with tiny.metered() as meter:
        found = METHODS[method](problem)
        costs.append(meter.forward_equivalents)
        recorder.finish(found, method)
        costs.append(meter.forward_equivalents)
    assert costs[0] == costs[1]


def test_a_shared_unprompted_text_is_kept_once(tiny, tmp_path):
    schedule = tiny.schedule(STEPS)
    for method in ("negative-prompt", "null-text"):
        found = METHODS[method](InversionProblem(tiny, random_latent(), PROMPT, schedule, 2.0))
        reference = record(tiny, found, PROMPT, schedule, method)
        reference.save(tmp_path / "a.safetensors")
        back = Reference.load(tmp_path / "a.safetensors", reference.header)
        assert torch.equal(back.unconditional.tokens, reference.unconditional.tokens)
    with safe_open(tmp_path / "a.safetensors", framework="pt") as file:
        assert len(file.get_tensor("texts")) <= STEPS
