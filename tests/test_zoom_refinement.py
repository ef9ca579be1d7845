"""Objects seen from nearer: glances, and masks that they make finer."""

import pytest
import torch

from realedit.files.photo import Photo
from realedit.images import resize, to_bytes
from realedit.objects.grounding import object_by_tokens
from realedit.objects.zoom_refinement import refine_by_zoom
from realedit.sampling.inverted_image import invert_image
from realedit.sampling.noising import noised_latents
from realedit.sampling.session import Session
from realedit.settings import Settings
from samples.renderer import render
from samples.scenes import Scene, sample_scene

FEW = Settings(steps=2, method="ddim")
SIZE = (160, 112)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return sample_scene(1_004_003, *SIZE)


def overlap(one, two) -> float:
    one, two = one[0, 0] > 0.5, two > 0.5
    return float((one & two).sum() / (one | two).sum())


def test_a_glance_is_the_noise_that_diffusers_adds(tiny):
    latent, schedule = torch.randn(1, 4, 6, 8), tiny.schedule(10)
    seen = list(noised_latents(latent, schedule, (0.2, 0.7, 1.0), seed=3))
    assert [g.timestep for g in seen] == [schedule.timesteps[i] for i in (2, 7, 9)]
    for glance in seen:
        added = tiny.scheduler.add_noise(latent, glance.noise, torch.tensor([glance.timestep]))
        assert torch.allclose(glance.z, added, atol=1e-5)
    again = list(noised_latents(latent, schedule, (0.2, 0.7, 1.0), seed=3))
    assert all(torch.equal(a.z, b.z) for a, b in zip(seen, again, strict=True))
    assert not torch.equal(seen[0].noise, seen[1].noise)


def test_masks_are_finer_from_near(tabletop, scene):
    drawn = render([scene])
    photo = Photo(to_bytes(drawn.photos))
    seen = invert_image(Session(tabletop, FEW), drawn.photos, scene.caption)
    gained = []
    for thing, true in zip(scene.things, drawn.masks[0], strict=False):
        words = tabletop.positions(scene.caption, thing.phrase)
        far = object_by_tokens(tabletop, photo, seen, words, thing.phrase)
        near = refine_by_zoom(tabletop, photo, scene.caption, thing.phrase, far)
        assert near.shape == far.shape
        assert overlap(near, true) > 0.88
        gained.append(overlap(near, true) - overlap(far, true))
    assert sum(gained) / len(gained) > 0.01


def test_a_small_mask_stays_small_and_an_object_is_found_in_a_large_photo(tabletop, scene):
    drawn = render([scene])
    large = (4 * SIZE[0], 4 * SIZE[1])
    photo = Photo(to_bytes(resize(drawn.photos, large)))
    thing, true = scene.things[0], drawn.masks[0, 0]
    small = (true > 0.5).float()[None, None]
    assert refine_by_zoom(tabletop, photo, scene.caption, thing.phrase, small).shape == small.shape
    coarse = (resize(small, (20, 14)) > 0.5).float()
    near = refine_by_zoom(tabletop, photo, scene.caption, thing.phrase, (resize(coarse, large) > 0.5).float())
    assert overlap(near, resize(true[None, None], large)[0, 0]) > 0.88


def test_a_mask_of_something_else_stays(tabletop, scene):
    """Words that attend elsewhere than where the mask is say nothing of it."""
    drawn = render([scene])
    photo, other = Photo(to_bytes(drawn.photos)), (drawn.masks[:, 2:3] > 0.5).float()
    assert torch.equal(refine_by_zoom(tabletop, photo, scene.caption, scene.things[0].phrase, other), other)


def test_what_fills_the_photo_is_not_looked_at_again(tabletop, scene):
    photo = Photo(to_bytes(render([scene]).photos))
    mask = torch.zeros(1, 1, SIZE[1], SIZE[0])
    mask[..., 2:-2, 2:-2] = 1
    with tabletop.metered() as meter:
        assert refine_by_zoom(tabletop, photo, scene.caption, scene.things[0].phrase, mask) is mask
    assert meter.forward_equivalents == 0
