"""Objects by words and by masks, with attention as vague as that of models which nobody taught where to attend."""

import pytest
import torch

from realedit.objects.attention_probe import AttentionProbe, probe
from realedit.objects.attention_quality import overlap
from realedit.objects.grounding import things_among
from realedit.objects.located_object import LocatedObject
from realedit.objects.recognition import probe_words
from realedit.objects.segmentation import object_mask
from realedit.sampling.session import Session
from samples.renderer import render
from samples.scenes import sample_scene
from tests.benchmarks.degraded_attention import LEVELS, Degradation, degrade, degraded


@pytest.fixture(scope="module")
def session(tabletop) -> Session:
    return Session(tabletop)


@pytest.fixture(scope="module")
def table():
    """A photo (1, 3, h, w), its caption, and the mask (1, 1, h, w) of each thing on it."""
    scene = sample_scene(3_000_402, 128, 128)
    drawn = render([scene], 128, 128)
    masks = {t.phrase: (drawn.masks[:, k : k + 1] > 0.5).float() for k, t in enumerate(scene.things)}
    return drawn.photos, scene.caption, masks


@pytest.mark.parametrize("level", LEVELS)
def test_vague_words_still_find_their_objects(session, table, level):
    photo, caption, masks = table
    with degraded(LEVELS[level]):
        seen = probe(session, photo, caption)
    for phrase, true in masks.items():
        found = object_mask(photo, seen.attention(session.model.positions(caption, phrase)), phrase)
        assert overlap(found, true) > 0.8


@pytest.mark.parametrize("level", LEVELS)
def test_a_true_mask_is_believed_and_anothers_is_not(session, table, level):
    photo, caption, masks = table
    (one, two), true = list(masks)[:2], list(masks.values())
    with degraded(LEVELS[level]):
        probed = probe_words(session, photo, caption, one)
    assert probed.sees(true[0])
    assert not probed.sees(true[1]), f"{one} is not {two}"


def test_carrying_along_alike_places_fills_a_thing_and_nothing_else():
    """Two groups of two places each: what attends to half of one attends to all of it."""
    alike = torch.tensor([[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5]])
    words = {"layer": torch.tensor([0.2, 1.0, 0.2, 0.2]).reshape(1, 1, 2, 2)}
    seen = AttentionProbe((words,), (alike,), (2, 2), (2, 2))
    assert seen.attention([0])[0, 0].tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert seen.attention([0], grouped=0.0)[0, 0].tolist() == [[0.0, 1.0], [0.0, 0.0]]


def located(rows: slice, columns: slice) -> LocatedObject:
    mask = torch.zeros(1, 1, 40, 60)
    mask[..., rows, columns] = 1
    return LocatedObject("it", (1,), mask)


def test_surfaces_are_told_by_extent_and_by_what_lies_within_them():
    cup, plate = located(slice(10, 18), slice(20, 28)), located(slice(18, 26), slice(14, 34))
    table, wall = located(slice(24, 40), slice(0, 60)), located(slice(0, 12), slice(0, 60))
    ring = located(slice(6, 22), slice(16, 32))
    ring.mask[..., 10:18, 20:28] = 0
    assert things_among([cup, plate, table, wall]) == [cup, plate]
    assert things_among([plate, ring], [cup]) == [plate]


def test_degraded_attention_is_attention():
    """It sums to 1 over tokens, the start token has nearly all, every word the same peak, and a wide map a floor."""
    maps = torch.rand(2, 5, 8, 12, generator=torch.Generator().manual_seed(0)).softmax(1)
    worse = degrade(maps, Degradation(0.1, 0.5, 0.2, 0.3))
    torch.testing.assert_close(worse.sum(1), torch.ones(2, 8, 12))
    assert worse[:, 0].min() > 0.9
    torch.testing.assert_close(worse[:, 1:].amax((-2, -1)), torch.full((2, 4), 0.02))
    assert worse[:, 1:].amin() >= 0.2 * 0.02
