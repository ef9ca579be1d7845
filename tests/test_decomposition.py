"""What the decomposition at the model's size changes of masks at the photo's."""

import torch

from realedit.compositing.scene import LayeredScene
from realedit.compositing.separation import CleanPlate
from realedit.editing.decomposition import corrected_objects
from realedit.objects.located_object import LocatedObject
from realedit.sampling.inverted_image import InvertedImage
from tests.object_edits import object_edit


def rectangle(size: tuple[int, int], top: float, bottom: float, left: float, right: float) -> torch.Tensor:
    """A mask (1, 1, H, W) of a box of fractions."""
    width, height = size
    mask = torch.zeros(1, 1, height, width)
    mask[..., round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = 1
    return mask


SMALL, LARGE = (40, 30), (400, 300)
FOUND = rectangle(SMALL, 0.4, 0.8, 0.25, 0.5)
NECK, FOOT = (0.2, 0.4, 0.3, 0.45), (0.7, 0.8, 0.25, 0.5)


def picture() -> InvertedImage:
    """One at the model's size, whose attention is not asked."""
    return InvertedImage(torch.zeros(1, 3, *FOUND.shape[-2:]), None, cached=False)


def corrected(own: torch.Tensor, better: torch.Tensor) -> torch.Tensor:
    """An object's `own` mask at the photo's size, where it is seen `better` at the model's."""
    scene = LayeredScene((object_edit("vase", better, ()),), CleanPlate.of(picture().image))
    (found,) = corrected_objects(picture(), [LocatedObject("vase", (1,), own)], scene)
    return found.mask


def test_a_mask_that_was_right_stays_as_it_is():
    own = rectangle(LARGE, 0.41, 0.79, 0.26, 0.49)
    seen = LocatedObject("vase", (1,), own).at_size(picture().size).mask
    assert corrected(own, seen) is own


def test_what_changed_at_the_models_size_changes_at_the_photos():
    """Its own edge is kept where nothing changed."""
    own = rectangle(LARGE, 0.41, 0.79, 0.26, 0.49)
    better = torch.maximum(FOUND, rectangle(SMALL, *NECK)) * (1 - rectangle(SMALL, *FOOT))
    result = corrected(own, better)
    expected = torch.maximum(own, rectangle(LARGE, *NECK)) * (1 - rectangle(LARGE, *FOOT))
    assert set(result.unique().tolist()) == {0.0, 1.0}
    assert (result != expected).float().mean() < 0.004  # corners are rounded
    assert torch.equal(result[..., 150:190, :], own[..., 150:190, :])
