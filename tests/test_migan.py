"""MI-GAN: its network against the values of its authors' own export, and what fills go by."""

import pytest
import torch

from inversion.errors import EditError
from realedit.inpainting.migan import VIEWS, draw_hole, migan_generator, views_of
from realedit.inpainting.migan_network import MIGAN_SIDE, doubled, halved
from realedit.inpainting.photo_fill import Sketch
from realedit.inpainting.sketch_fill import fill_like

# The authors' ONNX export (migan_pipeline_v2.onnx) drew this of `waves`, at (row, column).
EXPORTED = {
    (160, 130): (-0.3026, -0.1275, 0.5806),
    (200, 210): (-0.0682, 0.5721, 0.4038),
    (265, 210): (-0.1396, -0.5285, 0.3196),
    (330, 280): (0.0613, 0.1455, 0.2193),
    (379, 299): (0.1018, 0.4421, 0.1581),
}


def waves(height: int, width: int) -> torch.Tensor:
    """A photo (1, 3, height, width) of smooth tones."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return torch.stack((0.2 + 0.6 * x, 0.5 + 0.3 * torch.sin(20 * y), 0.8 - 0.5 * y * x))[None]


def box(height: int, width: int, top: int, bottom: int, left: int, right: int) -> torch.Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[..., top:bottom, left:right] = 1
    return mask


def test_the_network_draws_what_its_authors_export_draws():
    hole = box(MIGAN_SIDE, MIGAN_SIDE, 150, 380, 120, 300)
    with torch.inference_mode():
        drawn = migan_generator()(waves(MIGAN_SIDE, MIGAN_SIDE) * 2 - 1, 1 - hole)
    for (row, column), colour in EXPORTED.items():
        assert torch.allclose(drawn[0, :, row, column], torch.tensor(colour), atol=2 / 255)  # weights are kept in half


def test_sizes_change_through_the_filters_of_the_paper():
    one = torch.zeros(1, 2, 8, 10)
    one[0, 0, 4, 6] = 64
    small = halved(one)
    assert small.shape == (1, 2, 4, 5)
    assert small[0, 0].tolist()[1:3] == [[0, 0, 1, 3, 0], [0, 0, 3, 9, 0]]
    assert not small[0, 1].any()
    large = doubled(torch.full((1, 2, 4, 5), 0.25))
    assert large.shape == (1, 2, 8, 10)
    assert torch.allclose(large[..., 1:-1, 1:-1], torch.tensor(0.25))


@pytest.mark.parametrize(
    ("size", "hole", "detail"), [((60, 90), (20, 40, 30, 55), 1.0), ((70, 1300), (5, 60, 8, 1200), 2.5)]
)
def test_drawings_go_by_what_can_be_seen_alone(size, hole, detail):
    photo, missing, other = waves(*size), box(*size, *hole), box(*size, 0, 5, 0, 8)
    sketch = draw_hole(photo, missing, other)
    outside = (missing < 0.5).expand_as(photo)
    assert torch.equal(sketch.image[outside], photo[outside])
    assert not torch.equal(sketch.image, photo)
    assert sketch.detail == pytest.approx(detail, abs=0.05)
    spoiled = torch.where((missing + other) > 0.5, 1 - photo, photo)
    assert torch.equal(draw_hole(spoiled, missing, other).image[~outside], sketch.image[~outside])


def test_smooth_tones_go_on():
    photo, missing = waves(96, 128), box(96, 128, 30, 60, 40, 80)
    drawn = draw_hole(photo * (1 - missing), missing, torch.zeros_like(missing)).image
    assert (drawn - photo)[(missing > 0.5).expand_as(photo)].abs().mean() < 0.04


def test_a_photo_that_is_hidden_is_refused():
    photo = waves(40, 50)
    with pytest.raises(EditError, match="take up the whole photo"):
        draw_hole(photo, torch.ones(1, 1, 40, 50), torch.zeros(1, 1, 40, 50))


def grainy(height: int, width: int, tone: float) -> torch.Tensor:
    noise = torch.randn(1, 1, height, width, generator=torch.Generator().manual_seed(3))
    return (tone + 0.05 * noise).clamp(0, 1).expand(1, 3, -1, -1).contiguous()


@pytest.mark.parametrize(("tone", "colour"), [(0.5, (0.5, 0.5, 0.5)), (0.5, (0.9, 0.1, 0.1))])
def test_a_fill_has_the_colours_of_the_sketch_and_the_grain_of_the_photo(tone, colour):
    photo, missing = grainy(60, 90, tone), box(60, 90, 20, 40, 30, 60)
    flat = torch.tensor(colour).reshape(1, 3, 1, 1).expand_as(photo)
    filled = fill_like(
        photo, missing, torch.zeros_like(missing), 0, Sketch(torch.where(missing > 0.5, flat, photo), 1.0)
    )
    assert torch.equal(filled[(missing < 0.5).expand_as(photo)], photo[(missing < 0.5).expand_as(photo)])
    inside = filled[..., 24:36, 35:55]
    assert torch.allclose(inside.mean((0, 2, 3)), torch.tensor(colour), atol=0.03)
    assert 0.02 < float(inside.std((2, 3)).mean()) < 0.08


def test_a_line_that_the_photo_has_nowhere_else_is_drawn():
    photo, missing = grainy(60, 90, 0.7), box(60, 90, 20, 40, 30, 60)
    lined = photo.clone()
    lined[..., 28:31, 30:60] = 0.1
    filled = fill_like(photo, missing, torch.zeros_like(missing), 0, Sketch(lined, 1.0))
    assert float(filled[..., 29, 35:55].mean()) < 0.2
    assert float(filled[..., 23, 35:55].mean()) > 0.6


def test_a_mirrored_photo_is_drawn_as_the_mirror_shows_it():
    photo, missing = waves(60, 90), box(60, 90, 20, 40, 30, 55)
    none = torch.zeros_like(missing)
    plain, mirrored = VIEWS[0], next(view for view in VIEWS if view.mirrored)
    drawn = draw_hole(photo, missing, none, mirrored).image
    assert torch.equal(drawn.flip(-1), draw_hole(photo.flip(-1), missing.flip(-1), none, plain).image)


@pytest.mark.parametrize(("size", "count"), [((60, 90), 2), ((1300, 1400), 3)])
def test_no_view_shows_the_same_twice(size, count):
    hole = box(*size, size[0] // 3, size[0] // 2, size[1] // 3, size[1] // 2)
    assert len(views_of(hole, torch.zeros_like(hole))) == count
