"""Edits that the model makes alone, from the photo's inverted latents: what moves, what stays, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from inversion.errors import EditError
from inversion.properties import centroid
from realedit.editing.pipeline import edit
from realedit.editing.request import Hints
from realedit.edits import Insert, Move, ObjectSource, Remove, Restyle
from realedit.evaluation.metrics import encoder_distance
from realedit.files.photo import Photo
from realedit.images import to_bytes
from realedit.methods.readout import map_reading
from realedit.objects.source_objects import SourcePhoto
from realedit.settings import ENERGIES, Mode
from samples.renderer import render
from tests.test_pipeline import SETTINGS, judged, moved_scene

REGENERATED = replace(SETTINGS, mode=Mode.REGENERATE)
pytestmark = pytest.mark.usefixtures("shared_cache")


@pytest.fixture(scope="module")
def case(tabletop):
    """A held-out scene before and after an object moved, and without it; the masks of the object; the move."""
    scene, k, dx = moved_scene(901)
    drawn = render([scene, scene.moved(k, dx), scene.without(k)])
    source, target = drawn.masks[0, k], drawn.masks[1, k]
    by = (centroid(target) - centroid(source)).tolist()
    return scene, drawn.photos, (source, target), Move(scene.things[k].phrase, by=(by[0], by[1]))


def test_an_object_is_moved_and_nothing_outside_changes(tabletop, case):
    scene, photos, (source, target), move = case
    before, truth, without = (photo[None] for photo in photos)
    photo = Photo(to_bytes(before))
    judge = encoder_distance(tabletop.encoder_features, "")
    done = edit(tabletop, photo, scene.caption, move, settings=REGENERATED, perceptual=judge)
    after = done.photo.tensor()
    found = judged(after, truth, without)
    assert (centroid(found) - centroid(judged(truth, truth, without))).norm() < 0.045
    vacated = (source > 0.9) & (target < 0.1)
    ghost = (after - before).square().sum(1)[0] < (after - without).square().sum(1)[0]
    assert ghost[vacated].float().mean() < 0.2
    outside = done.editable[0, 0].numpy() < 0.5
    assert outside.mean() > 0.3
    assert np.array_equal(done.photo.rgb[outside], photo.rgb[outside])
    report = done.report
    assert report.mode.name == "regenerate"
    assert report.guidance is not None
    assert report.guidance.last < report.guidance.first
    assert report.guidance.strength <= report.guidance.most


def test_a_removal_and_a_new_look_in_one_run_by_readout(tabletop, case):
    scene, photos, (source, _), move = case
    others = [thing.phrase for thing in scene.things if thing.phrase != move.object]
    edits = [Remove(move.object), *(Restyle(phrase, "green " + phrase.split()[-1]) for phrase in others[:1])]
    photo = Photo(to_bytes(photos[:1]))
    hints = Hints(read=map_reading(tabletop, ENERGIES[1]))
    done = edit(tabletop, photo, scene.caption, *edits, hints=hints, settings=REGENERATED)
    outside = done.editable[0, 0].numpy() < 0.5
    assert np.array_equal(done.photo.rgb[outside], photo.rgb[outside])
    assert not np.array_equal(done.photo.rgb[source.numpy() > 0.5], photo.rgb[source.numpy() > 0.5])
    assert done.report.objects[0].asked_position is None
    assert done.report.guidance.last < done.report.guidance.first


def test_what_the_model_does_not_know_or_another_photo_lends_is_refused(tabletop, case):
    scene, photos, (source, _), move = case
    photo = Photo(to_bytes(photos[:1]))
    noise = Photo(np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8))
    mask = torch.zeros(1, 1, 96, 128)
    mask[..., 30:60, 40:80] = 1
    hints, shift = Hints({"thing": mask}), Move("thing", by=(0.1, 0.0))
    with pytest.raises(EditError, match="does not know all that is edited"):
        edit(tabletop, noise, "a photo of a thing", shift, hints=hints, settings=REGENERATED)
    other = SourcePhoto(photo, scene.caption, source[None, None])
    insert = Insert(ObjectSource("other", move.object), to=(0.5, 0.5))
    with tabletop.metered() as meter, pytest.raises(EditError, match="comes from another photo"):
        edit(tabletop, photo, scene.caption, insert, hints=Hints(sources={"other": other}), settings=REGENERATED)
    assert meter.forward_equivalents == 0
