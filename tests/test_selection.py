"""Which way a new look is had, on the bundled model; whole pictures; objects of other photos."""

import functools
from dataclasses import replace

import pytest
import torch

from inversion.errors import EditError, PhraseError
from inversion.text import Embedding
from realedit.editing import generation
from realedit.editing.generation import draw, same_appearance, same_layout, same_objects
from realedit.editing.insertion import extract_insert
from realedit.edits import Insert, ObjectSource
from realedit.files.photo import Photo
from realedit.images import to_bytes
from realedit.objects.grounding import all_objects
from realedit.objects.located_object import LocatedObject
from realedit.objects.source_objects import SourcePhoto, locate_source_object
from realedit.sampling.classifier import classifier_score
from realedit.sampling.inverted_image import invert_image, reconstruct
from realedit.sampling.prompts import object_prompt
from realedit.sampling.session import Session
from realedit.settings import Settings
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, sample_scene

FEW = Settings(steps=8, method="ddim")


@pytest.fixture(scope="module")
def scene():
    """A held-out scene of two plain objects."""
    seeds = (FIRST_HELD_OUT_SEED + 900 + k for k in range(100))
    return next(
        s
        for s in (sample_scene(seed) for seed in seeds)
        if len(s.things) == 2 and all((t.pattern, t.material) == ("plain", "matte") for t in s.things)
    )


def texts(model, *names: str) -> tuple[Embedding, ...]:
    return tuple(model.embed(object_prompt({"it": words}, " on a table").prompt) for words in names)


def test_words_fit_what_they_say(tabletop, scene):
    """The true picture of a new colour fits its words; the old picture fits the old ones."""
    thing = scene.things[0]
    colour = "green" if thing.colour != "green" else "red"
    drawn = render([scene, scene.recoloured(0, colour)])
    words = texts(tabletop, thing.phrase, thing.phrase.replace(thing.colour, colour))
    mask = (drawn.masks[0, 0] > 0.5).float()[None, None]
    old, new = (classifier_score(Session(tabletop, FEW), p[None], mask, words) for p in drawn.photos)
    assert old < 0 < new


def test_the_same_words_fit_neither_better(tabletop, scene):
    words = texts(tabletop, "red ball", "red ball")
    photo = render([scene], 96, 64).photos
    assert classifier_score(Session(tabletop, FEW), photo, torch.ones(1, 1, 64, 96), words) == 0


def test_a_generated_picture_needs_no_inversion(tabletop):
    prompt = "a photo of a red ball on a grey table"
    session = Session(tabletop, replace(FEW, steps=3, method="null-text"))
    made = draw(session, prompt, (144, 112))
    assert made.image.shape == (1, 3, 112, 144)
    with tabletop.metered() as meter:
        seen = invert_image(session, made.image, prompt)
    assert seen.cached
    assert meter.forward_equivalents == 0
    assert torch.equal(to_bytes_of(reconstruct(tabletop, seen.reference)), to_bytes_of(made.image))
    again = draw(session, prompt, (144, 112))
    assert torch.equal(again.image, made.image)


def to_bytes_of(picture: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(to_bytes(picture))


def test_new_looks_and_layouts_differ_by_seed_and_repeat_by_seed(tabletop, scene, monkeypatch):
    monkeypatch.setattr(generation, "all_objects", functools.cache(all_objects))  # one photo's, which no seed changes
    few = replace(FEW, steps=2)
    seen = invert_image(Session(tabletop, few), render([scene], 96, 64).photos, scene.caption)
    for drawn in (
        lambda seed: same_layout(Session(tabletop, replace(few, seed=seed)), seen, scene.caption),
        lambda seed: same_appearance(Session(tabletop, replace(few, seed=seed)), seen),
    ):
        one, two, again = drawn(1), drawn(2), drawn(1)
        assert one.shape == seen.image.shape
        assert torch.equal(one, again)
        assert not torch.equal(one, two)


def test_objects_of_two_prompts_are_matched_by_phrase_or_kind():
    found = [LocatedObject("red ball", (2,), torch.ones(1)), LocatedObject("can", (3,), torch.ones(1))]
    prompt = "a photo of a blue ball and a can"
    pairs = same_objects(found, prompt)
    assert [(f.phrase, prompt[slice(*span)]) for f, span in pairs] == [("red ball", "blue ball"), ("can", "can")]
    assert same_objects(found, "a blue ball and a green ball and a cup") == []


def test_all_objects_are_the_things_not_the_table(tabletop, scene):
    seen = invert_image(Session(tabletop, FEW), render([scene]).photos, scene.caption)
    assert {o.phrase for o in all_objects(tabletop, seen)} == {t.phrase for t in scene.things}


def test_an_object_of_another_photo_is_brought_with_its_pixels(tabletop, scene):
    drawn = render([scene])
    other, phrase = SourcePhoto(Photo(to_bytes(drawn.photos)), scene.caption), scene.things[0].phrase
    session = Session(tabletop, replace(FEW, steps=3))
    source = locate_source_object(session, other, phrase)
    host, insert = Photo(to_bytes(drawn.photos)), Insert(ObjectSource("other", phrase), (0.5, 0.5))
    extra, box = extract_insert(session, source, insert, host)
    assert box[0] < 0.5 < box[2]
    assert box[1] < 0.5 < box[3]
    inside = (drawn.masks[0, 0] > 0.99) & (extra.layer.alpha[0, 0] > 0.99)
    assert inside.sum() > 0.5 * (drawn.masks[0, 0] > 0.99).sum()
    torch.testing.assert_close(extra.layer.colour[0][:, inside], source.photo.tensor()[0][:, inside], atol=0.15, rtol=0)
    assert extra.placement.target == (0.5, 0.5)
    with pytest.raises(PhraseError):
        locate_source_object(session, other, "blue elephant")
    with pytest.raises(EditError, match="names no object"):
        locate_source_object(session, SourcePhoto(other.photo, "of the"), None)
