"""Reflections in a glossy ground that is painted by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from realedit.compositing.composite import compose
from realedit.compositing.effects_without_model import effects_without_model
from realedit.compositing.reflections import nonnegative_fit, reflection_mask, reflection_region
from realedit.compositing.scene import LayeredScene
from realedit.compositing.separation import CleanPlate
from realedit.geometry.transform import Placement
from realedit.inpainting.fill import fill_smoothly
from realedit.morphology import dilate
from tests.object_edits import object_edit

HEIGHT, WIDTH = 120, 160
ROWS, COLUMNS = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
DARK, BRIGHT = (0.03, 0.03, 0.04), (0.9, 0.88, 0.86)
NOTHING = torch.zeros(1, 1, HEIGHT, WIDTH)
YELLOW, RED, BLUE = (0.8, 0.7, 0.1), (0.8, 0.1, 0.1), (0.1, 0.2, 0.7)


def plain(colour: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(colour)[None, :, None, None].expand(1, 3, HEIGHT, WIDTH)


def figure(x: float = 60, foot: float = 60) -> torch.Tensor:
    """A mask (1, 1, H, W): a body with a head that stands to the left."""
    body = ((COLUMNS - x).abs() < 12) & ((ROWS - foot + 14).abs() < 14)
    head = (COLUMNS - x + 6).square() + (ROWS - foot + 33).square() < 36
    return (body | head).float()[None, None]


def upside_down(image: torch.Tensor, foot: int = 60, squeeze: float = 1.0) -> torch.Tensor:
    """An image (1, C, H, W) mirrored at a row, by whole pixels."""
    rows = torch.arange(HEIGHT)
    source = (foot - 1 - ((rows - foot) / squeeze).floor()).long()
    there = (rows >= foot) & (source >= 0)
    return image[:, :, source.clamp(0, HEIGHT - 1)] * there[:, None]


def scene(ground: torch.Tensor, paint: tuple[float, float, float], share: float, x: float = 60, squeeze: float = 1.0):
    """A figure, darker at one side, on a ground that shows this share of it, in place of the room's grey."""
    mask = figure(x)
    colour = plain(paint) * (1.1 - (COLUMNS - x) / 60)[None, None].clamp(0.7, 1.2)
    image, where = upside_down(colour * mask, squeeze=squeeze), upside_down(mask, squeeze=squeeze)
    shown = ground + share * (image - ground.clamp(max=0.5) * where)
    return torch.where(mask > 0.5, colour, shown).clamp(0, 1), mask, where


def overlap(one: torch.Tensor, two: torch.Tensor) -> float:
    return float(torch.minimum(one, two).sum() / torch.maximum(one, two).sum())


@settings(max_examples=12, deadline=None)
@given(
    share=st.floats(0.15, 0.6),
    squeeze=st.floats(0.65, 1.05),
    x=st.integers(40, 120),
    paint=st.sampled_from((YELLOW, RED, BLUE)),
)
def test_a_dark_glossy_ground_shows_an_object_once_more(share, squeeze, x, paint):
    photo, mask, where = scene(plain(DARK), paint, share, x, squeeze)
    assert overlap(reflection_mask(photo, plain(DARK), mask, NOTHING), where) > 0.75


@pytest.mark.parametrize("paint", [YELLOW, RED, BLUE])
def test_a_bright_one_does_too(paint):
    photo, mask, where = scene(plain(BRIGHT), paint, 0.3)
    assert overlap(reflection_mask(photo, plain(BRIGHT), mask, NOTHING), where) > 0.75


@pytest.mark.parametrize("ground", [DARK, BRIGHT, (0.4, 0.5, 0.6), (0.6, 0.2, 0.15)])
def test_a_matt_ground_shows_nothing(ground):
    photo, mask, _ = scene(plain(ground), YELLOW, 0.0)
    assert not reflection_mask(photo, plain(ground), mask, NOTHING).any()
    noise = 0.01 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))
    assert not reflection_mask(photo + noise, plain(ground), mask, NOTHING).any()


@pytest.mark.parametrize("ground", [BRIGHT, (0.4, 0.5, 0.6), (0.6, 0.2, 0.15)])
def test_a_shadow_is_no_reflection_even_where_one_would_be(ground):
    _, mask, where = scene(plain(ground), YELLOW, 0.0)
    shaded = plain(ground) * (1 - 0.4 * where)
    photo = torch.where(mask > 0.5, plain((0.2, 0.6, 0.6)), shaded)
    assert not reflection_mask(photo, plain(ground), mask, NOTHING).any()


def test_another_thing_below_is_no_reflection():
    photo, mask, _ = scene(plain(DARK), YELLOW, 0.0)
    ball = ((COLUMNS - 75).square() + (ROWS - 75).square() < 60).float()[None, None]
    photo = torch.where(ball > 0.5, plain(YELLOW), photo)
    assert not reflection_mask(photo, plain(DARK), mask, NOTHING).any()
    assert not reflection_mask(photo, plain(DARK), mask, ball).any()


@given(st.integers(0, 2**31), st.booleans(), st.booleans(), st.booleans())
def test_shares_of_two_pictures_are_those_of_scipy(seed, no_image, black_ground, same):
    random = torch.Generator().manual_seed(seed)
    image, ground, wanted = (torch.randn(3, 20, generator=random) for _ in range(3))
    image, ground = image * (not no_image), (-image if same else ground) * (not black_ground)
    shares, explained = nonnegative_fit(image, ground, wanted)
    theirs, left = nnls(torch.stack([image.flatten(), ground.flatten()], 1).double().numpy(), wanted.flatten().numpy())
    assert explained == pytest.approx(float(wanted.double().square().sum()) - left**2, abs=1e-6)
    assert shares == pytest.approx(tuple(theirs), abs=1e-6)


def test_where_no_object_is_none_is_mirrored():
    assert not reflection_mask(plain(DARK), plain(DARK), NOTHING, NOTHING).any()
    assert not reflection_region(NOTHING).any()


def test_a_reflection_lies_below_its_object():
    _, mask, where = scene(plain(DARK), YELLOW, 0.3)
    assert float((reflection_region(mask) * where).sum()) == float(where.sum())


def test_object_and_reflection_move_together_and_nothing_of_either_is_left():
    photo, mask, _ = scene(plain(DARK), YELLOW, 0.3)
    truth, there, mirrored = scene(plain(DARK), YELLOW, 0.3, x=110)
    (left,) = effects_without_model(photo, [mask], NOTHING, 0.025)
    backdrop = CleanPlate.of(fill_smoothly(photo, dilate(torch.maximum(mask, left.visible()), 0.025)))
    move = Placement((60 / WIDTH, 0.5), (110 / WIDTH, 0.5))
    stage = compose(photo, LayeredScene((object_edit("figure", mask, (move,), left),), backdrop), 0.025)
    edges = dilate(torch.maximum(there, mirrored), 0.03) - dilate(torch.maximum(there, mirrored), -0.03)
    assert float(((stage.image - truth).abs() * (1 - edges)).max()) < 0.03
    assert float((stage.image - truth).abs().mean()) < 0.005
    assert (stage.editable >= torch.maximum(there, mirrored)).all()
