"""Holes filled with what the photo has: repetitions found, labels laid out, seams made to vanish."""

import itertools

import numpy as np
import pytest
import torch

from inversion.errors import EditError
from realedit.inpainting.fill import falling_light
from realedit.inpainting.graph_cut import LabelEnergy, fuse_all, fused, minimise
from realedit.inpainting.offset_map import HoleView, lay_out, shifted
from realedit.inpainting.patch_offsets import dominant_offsets
from realedit.inpainting.photo_fill import Sketch, fill_from_photo, hole_sources
from realedit.inpainting.seamless import seamless_copy
from realedit.inpainting.sketch_fill import fill_like


def checks(height: int, width: int, down: int, across: int) -> np.ndarray:
    """A picture (height, width, 3) that repeats after these distances, and at no shorter one."""
    tile = np.random.default_rng(5).random((down, across, 3)).astype(np.float32)
    return np.tile(tile, (-(-height // down), -(-width // across), 1))[:height, :width]


def boxed(size: tuple[int, int], top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[top:bottom, left:right] = True
    return mask


def as_tensors(picture: np.ndarray, *masks: np.ndarray) -> tuple[torch.Tensor, ...]:
    image = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    return image, *(torch.from_numpy(mask).float()[None, None] for mask in masks)


def test_offsets_are_the_periods_of_a_repeating_picture():
    picture, hole = checks(90, 130, 15, 22), boxed((90, 130), 35, 55, 50, 75)
    offsets = dominant_offsets(picture, ~hole, hole, seed=0)
    assert len(offsets)
    assert all(down % 15 == 0 and across % 22 == 0 for down, across in offsets)


def test_a_repeating_picture_is_continued_exactly():
    picture, hole = checks(90, 130, 15, 22), boxed((90, 130), 35, 55, 50, 75)
    photo, missing, none = as_tensors(picture, hole, np.zeros_like(hole))
    spoiled = torch.where(missing > 0.5, 0.5, photo)
    assert (fill_from_photo(spoiled, missing, none) - photo).abs().max() < 1e-3


def test_only_the_hole_changes_and_equal_seeds_give_equal_pixels():
    picture = np.random.default_rng(1).random((40, 64, 3)).astype(np.float32)
    photo, missing, none = as_tensors(picture, boxed((40, 64), 14, 24, 25, 40), np.zeros((40, 64), bool))
    filled = fill_from_photo(photo, missing, none, seed=3)
    assert torch.equal(torch.where(missing > 0.5, photo, filled), photo)
    assert not torch.equal(filled, photo)
    assert torch.equal(filled, fill_from_photo(photo, missing, none, seed=3))


def test_sources_are_known_pixels_and_repeat_the_picture():
    picture, hole = checks(90, 130, 15, 22), boxed((90, 130), 35, 55, 50, 75)
    photo, missing, none = as_tensors(picture, hole, np.zeros_like(hole))
    points = hole_sources(torch.where(missing > 0.5, 0.5, photo), missing, none)[0]
    columns, rows = (points[k] * size - 0.5 for k, size in enumerate((130, 90)))
    assert np.array_equal(rows.round().numpy()[~hole], np.mgrid[:90, :130][0][~hole])
    read = photo[0, :, rows.round().long(), columns.round().long()]
    torch.testing.assert_close(read, photo[0])
    assert not missing[0, 0, rows.round().long(), columns.round().long()].any()


def lamp_light(height: int, width: int) -> np.ndarray:
    """Light (height, width) that falls off from the upper right, and not as any polynomial does."""
    y, x = np.mgrid[:height, :width] / height
    return 0.1 + 0.8 * np.exp(-(np.square(x - 1.0) + np.square(y - 0.4)) / 0.5)


def test_light_that_falls_off_is_continued_over_a_plain_ground():
    height, width = 96, 144
    grain = np.random.default_rng(2).normal(0, 0.01, (height, width, 3))
    lit = (lamp_light(height, width)[..., None] + grain).clip(0, 1).astype(np.float32)
    photo, missing, none = as_tensors(lit, boxed((height, width), 30, 66, 50, 86), np.zeros((height, width), bool))
    filled = fill_from_photo(torch.where(missing > 0.5, 0.9, photo), missing, none)
    inside = (missing > 0.5).expand_as(photo)
    off = (filled - photo)[inside]
    assert off.std() < 0.02, "grain against other grain is off by 0.014"
    assert (filled - torch.from_numpy(lamp_light(height, width)))[inside].std() > 0.007, "it has grain of its own"


def test_only_a_plain_ground_tells_how_the_light_falls():
    height, width = 96, 144
    light, hole = lamp_light(height, width)[..., None].repeat(3, -1), boxed((height, width), 30, 66, 50, 86)
    plain, missing = as_tensors(light, hole)
    found = falling_light(plain, missing)
    assert found is not None
    assert (found - plain)[..., 20:76, 40:96].abs().max() < 0.06
    for other in (checks(height, width, 15, 22), np.where(hole[..., None], light, np.roll(light, 60, 1) > 0.4)):
        assert falling_light(as_tensors(other)[0], missing) is None


def test_what_is_forbidden_is_not_copied():
    picture = np.full((80, 120, 3), 0.5, np.float32)
    picture += np.random.default_rng(2).normal(0, 0.05, picture.shape).astype(np.float32)
    others = boxed((80, 120), 20, 60, 70, 115)
    picture[others] = (1.0, 0.0, 0.0)
    photo, missing, forbidden = as_tensors(picture, boxed((80, 120), 25, 55, 20, 50), others)
    inside = fill_from_photo(photo, missing, forbidden)[0][:, missing[0, 0] > 0.5]
    assert inside[0].max() < 0.8
    assert inside[1].min() > 0.2


def test_a_hole_of_a_large_photo_is_as_sharp_as_its_surroundings():
    picture = np.random.default_rng(4).random((300, 400, 3)).astype(np.float32)
    photo, missing, none = as_tensors(picture, boxed((300, 400), 60, 240, 90, 280), np.zeros((300, 400), bool))
    inside = fill_from_photo(photo, missing, none)[0][:, missing[0, 0] > 0.5]
    assert inside.std() == pytest.approx(float(photo.std()), rel=0.1)


def test_a_photo_that_is_all_hole_is_refused():
    photo = torch.rand(1, 3, 64, 80)
    with pytest.raises(EditError, match="nothing is left around the hole"):
        fill_from_photo(photo, torch.ones(1, 1, 64, 80), torch.zeros(1, 1, 64, 80))


def test_a_hole_that_touches_the_frame_on_two_sides_is_filled_from_the_rest():
    picture, hole = checks(64, 100, 8, 11), boxed((64, 100), 0, 64, 60, 100)
    photo, missing, none = as_tensors(picture, hole, np.zeros_like(hole))
    filled = fill_from_photo(torch.where(missing > 0.5, 0.0, photo), missing, none)
    assert (filled - photo).abs().mean() < 0.05


def random_energy(seed: int, labels: int, height: int, width: int) -> LabelEnergy:
    """Of a grid: what labels show at each node is random, and seams cost distances."""
    random = np.random.default_rng(seed)
    nodes = np.arange(height * width).reshape(height, width)
    points = random.random((labels, nodes.size, 2))
    pairs = ((nodes[:, :-1], nodes[:, 1:]), (nodes[:-1], nodes[1:]))

    def between(a: np.ndarray, b: np.ndarray, edges: np.ndarray) -> np.ndarray:
        p, q = edges.T
        return np.linalg.norm(points[a, p] - points[b, p], axis=1) + np.linalg.norm(points[a, q] - points[b, q], axis=1)

    edges = np.concatenate([np.stack((p.ravel(), q.ravel()), -1) for p, q in pairs])
    return LabelEnergy(random.random((labels, nodes.size)), edges, between)


@pytest.mark.parametrize("seed", range(4))
def test_an_expansion_is_the_best_of_all_ways_to_take_a_label(seed: int):
    energy, random = random_energy(seed, 3, 3, 3), np.random.default_rng(seed + 100)
    labels, free = random.integers(0, 2, 9), random.random(9) < 0.8
    found = fused(energy, labels, np.where(free, 2, labels))
    tried = [np.where(np.array(way) & free, 2, labels) for way in itertools.product((False, True), repeat=9)]
    assert energy.of(found) == pytest.approx(min(energy.of(one) for one in tried), abs=0.05)  # capacities are whole
    assert (found[~free] == labels[~free]).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_fusion_costs_no_more_than_the_best_that_went_in_and_is_made_of_them(seed: int):
    energy, random = random_energy(seed, 5, 4, 6), np.random.default_rng(seed + 100)
    several = [random.integers(0, 5, 24) for _ in range(3)]
    best = fuse_all(energy, several)
    assert energy.of(best) < min(energy.of(one) for one in several)
    assert (np.array(several) == best).any(0).all()


def test_labels_cost_less_after_a_sweep():
    energy = random_energy(7, 5, 4, 5)
    start = energy.cost.argmin(0)
    found = minimise(energy, start, range(5), lambda labels, label: np.ones(len(labels), bool))
    assert energy.of(found) < energy.of(start)


def test_a_seam_goes_where_copies_agree():
    picture = np.zeros((40, 90, 3), np.float32)
    picture[:, :45] = np.random.default_rng(0).random((40, 45, 3))
    picture[:, 45:] = picture[:, :45]
    hole = boxed((40, 90), 10, 30, 50, 70)
    labels = lay_out(HoleView(picture, ~hole, hole), np.array([(0, 1), (0, -45), (3, 2)]), seed=0)
    assert (labels[hole] == 1).all()


def test_a_shifted_picture_is_empty_where_it_comes_from_outside():
    picture = np.arange(12.0).reshape(3, 4)
    assert shifted(picture, np.array([1, -2])).tolist() == [[0, 0, 4, 5], [0, 0, 8, 9], [0, 0, 0, 0]]
    assert not shifted(picture, np.array([3, 0])).any()


def test_a_copy_takes_on_the_tone_around_the_hole():
    picture = np.random.default_rng(3).random((30, 50, 3))
    picture[:, 25:] = picture[:, :25] + np.array([0.3, -0.2, 0.1])  # the same, in another light
    hole = boxed((30, 50), 8, 20, 30, 42)
    offsets = np.zeros((30, 50, 2), int)
    offsets[hole] = (0, -25)
    spoiled = np.where(hole[..., None], 9.0, picture)
    assert np.abs(seamless_copy(spoiled, hole, offsets) - picture).max() < 1e-9


def test_a_sketch_says_which_of_two_textures_goes_where():
    noise = np.random.default_rng(8).normal(0, 0.1, (60, 120, 1)).astype(np.float32)
    picture = np.clip(noise + np.where(np.arange(120) < 60, 0.3, 0.7)[:, None], 0, 1).repeat(3, 2).astype(np.float32)
    hole = boxed((60, 120), 20, 40, 45, 75)
    photo, missing, none = as_tensors(picture, hole, np.zeros_like(hole))
    for dark in (0.3, 0.7):
        sketch = Sketch(torch.full_like(photo, dark), 4.0)
        inside = fill_from_photo(photo, missing, none, sketch=sketch)[0, 0, 25:35, 55:65]
        assert abs(float(inside.mean()) - dark) < 0.15
        assert float(inside.std()) > 0.05


def test_what_the_drawing_has_not_is_not_copied():
    """Of faint lines that are all that is around a hole, little is left in a drawing that is plain there."""
    lines = (0.5 + 0.04 * np.sin(np.arange(120) * np.pi / 6)).astype(np.float32)
    picture = np.broadcast_to(lines[None, :, None], (60, 120, 3)).copy()
    hole = boxed((60, 120), 20, 40, 45, 75)
    photo, missing, none = as_tensors(picture, hole, np.zeros_like(hole))
    plain = fill_like(photo, missing, none, 0, Sketch(torch.full_like(photo, 0.5), 1.5))[0, 0, 25:35, 50:70]
    assert float(plain.std()) < 0.012
    lined = fill_like(photo, missing, none, 0, Sketch(photo, 1.5))[0, 0, 25:35, 50:70]
    assert float((lined - photo[0, 0, 25:35, 50:70]).abs().max()) < 0.01
