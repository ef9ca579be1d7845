"""Whole edits where the truth is known: the renderer draws the scene after the edit."""

import json

import numpy as np
import pytest
import torch

from inversion.properties import centroid
from realedit.editing.pipeline import edit
from realedit.editing.request import Hints
from realedit.edits import Move, Resize
from realedit.evaluation.metrics import PerceptualMetric, encoder_distance
from realedit.files.photo import Photo
from realedit.images import to_bytes
from realedit.sampling.inverted_image import invert_image, reconstruct
from realedit.sampling.session import Session
from realedit.settings import Settings
from samples.renderer import Render, render
from samples.scenes import FIRST_HELD_OUT_SEED, Scene, sample_scene

SETTINGS = Settings(steps=6)
pytestmark = pytest.mark.usefixtures("shared_cache")


@pytest.fixture(scope="module")
def judge(tabletop) -> PerceptualMetric:
    return encoder_distance(tabletop.encoder_features, "")


def moved_scene(seed: int) -> tuple[Scene, int, float]:
    """A held-out scene, and an object with a sideways shift that keeps it in the frame."""
    scene = sample_scene(FIRST_HELD_OUT_SEED + seed)
    free = [t.x for t in scene.things]
    k = int(np.argmax(np.abs(free)))
    return scene, k, -0.9 if free[k] > 0 else 0.9


def judged(result: torch.Tensor, truth: torch.Tensor, without: torch.Tensor) -> torch.Tensor:
    """Pixels that are the object: nearer to the true render than to the scene without the object,
    where these two differ."""
    differ = (truth - without).abs().amax(1) > 0.08
    nearer = (result - truth).square().sum(1) < (result - without).square().sum(1)
    return (differ & nearer)[0].float()


def test_an_object_is_moved_and_another_resized_without_a_ghost(tabletop, judge):
    scene, k, dx = moved_scene(901)
    j = next(i for i in range(len(scene.things)) if i != k)
    after = scene.moved(k, dx).resized(j, 0.7)
    drawn: Render = render([scene, after, after.without(k), after.without(j)])
    before, truth, without, without_other = (p[None] for p in drawn.photos)
    source, target = drawn.masks[0, k], drawn.masks[1, k]
    shift = (centroid(target) - centroid(source)).tolist()
    move, smaller = Move(scene.things[k].phrase, by=(shift[0], shift[1])), Resize(scene.things[j].phrase, 0.7)
    edited = edit(tabletop, Photo(to_bytes(before)), scene.caption, move, smaller, settings=SETTINGS, perceptual=judge)
    after = edited.photo.tensor()
    found = judged(after, truth, without)
    assert (centroid(found) - centroid(judged(truth, truth, without))).norm() < 0.04
    vacated = (source > 0.9) & (target < 0.1)
    ghost = (after - before).square().sum(1)[0] < (after - without).square().sum(1)[0]
    assert ghost[vacated].float().mean() < 0.15
    area = judged(after, truth, without_other).sum() / judged(truth, truth, without_other).sum()
    assert 0.75 < area < 1.25
    assert edited.report.outside.identical
    assert edited.report.objects[0].reached_position is not None
    json.loads(edited.report.to_json())


def test_null_text_reconstructs_near_the_autoencoders_limit_at_guidance_7_5(tabletop):
    scene = sample_scene(FIRST_HELD_OUT_SEED + 904)
    photo = render([scene]).photos
    seen = invert_image(Session(tabletop, Settings(steps=12)), photo, scene.caption)
    assert seen.reference.header.guidance_scale == 7.5
    rebuilt, bound = reconstruct(tabletop, seen.reference), tabletop.decode(tabletop.encode(photo))
    psnr = [-10 * (p - photo).square().mean().log10().item() for p in (rebuilt, bound)]
    assert psnr[0] > psnr[1] - 2.0


def test_an_edit_that_moves_nothing_gives_the_photo_back(tabletop, judge):
    scene = sample_scene(FIRST_HELD_OUT_SEED + 901)
    drawn = render([scene])
    photo, phrase = Photo(to_bytes(drawn.photos)), scene.things[0].phrase
    hints = Hints({phrase: (drawn.masks[:, :1] > 0.5).float()}, pitch=10.0)
    move = Move(phrase, by=(0.0, 0.0))
    edited = edit(tabletop, photo, scene.caption, move, hints=hints, settings=SETTINGS, perceptual=judge)
    assert edited.report.mode.name == "composite"
    error = (edited.photo.tensor() - photo.tensor()).square().mean()
    assert -10 * error.log10() > 32
