"""The colours of new looks, on the bundled model."""

import pytest
import torch

from realedit.edits import Look, Source
from realedit.files.photo import Photo
from realedit.guests import Guest
from realedit.images import to_bytes
from realedit.inverting import Seen
from realedit.palettes import imagined, palettes
from realedit.settings import Settings
from samples.scenes import COLOURS

FEW = Settings(steps=16)
ASKED = ("red", "yellow", "green", "blue")


def silent(i: int) -> None:
    pass


@pytest.mark.parametrize("name", ASKED)
def test_what_is_imagined_has_the_colour_of_its_words(tabletop, name):
    """Of these colours of the renderer the asked one is nearest, in hue: light and shade aside."""
    mean = imagined(tabletop, f"{name} ball", FEW, silent).mean(0)

    def likeness(colour: str) -> float:
        one, two = mean - mean.mean(), torch.tensor(COLOURS[colour]) - torch.tensor(COLOURS[colour]).mean()
        return float(torch.nn.functional.cosine_similarity(one, two, dim=0))

    assert max(ASKED, key=likeness) == name


def test_the_same_seed_imagines_the_same(tabletop):
    one, again, other = (imagined(tabletop, "red ball", Settings(steps=4, seed=s), silent) for s in (0, 0, 7))
    assert torch.equal(one, again)
    assert one.shape != other.shape or not torch.equal(one, other)


def test_a_look_of_another_photo_has_that_objects_colours(tabletop):
    photo, mask = torch.zeros(1, 3, 64, 96), torch.zeros(1, 1, 64, 96)
    mask[..., 20:40, 30:60] = 1
    photo[:, 0] = mask[:, 0]
    source = Source("other", "ball")
    seen = Seen(photo, None, from_cache=False)  # its attention is not asked
    guest = Guest(Photo(to_bytes(photo)), seen, "ball", (), mask, by_user=True)
    look = Look(source=source)
    with tabletop.metered() as meter:
        found = palettes(tabletop, [look], {source: guest}, FEW, silent)
    assert found[look].unique(dim=0).tolist() == [[1.0, 0.0, 0.0]]
    assert meter.forward_equivalents == 0  # nothing is imagined
