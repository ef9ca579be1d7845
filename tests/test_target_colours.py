"""The colours of new looks, on the bundled model."""

import pytest
import torch

from inversion.model import DiffusionModel
from realedit.appearance import target_colours
from realedit.appearance.selection import AppearanceChange, requested_changes
from realedit.appearance.target_colours import EXPOSURE_POWER, exposure_ratio, sampled_colours
from realedit.compositing.composite import compose
from realedit.compositing.scene import LayeredScene
from realedit.compositing.separation import CleanPlate
from realedit.edits import Appearance, ObjectSource
from realedit.files.photo import Photo
from realedit.geometry.transform import IDENTITY
from realedit.images import to_bytes
from realedit.objects.located_object import LocatedObject
from realedit.objects.source_objects import SourceObject
from realedit.sampling.inverted_image import InvertedImage
from realedit.sampling.session import Session
from realedit.settings import Settings
from samples.scenes import COLOURS
from tests.object_edits import object_edit

FEW = Settings(steps=10)
ASKED = ("red", "yellow", "green", "blue")


@pytest.fixture
def one_picture(monkeypatch):
    """Colours are taken from one picture that is sampled, instead of a few."""
    monkeypatch.setattr(target_colours, "SAMPLED_PICTURES", 1)


@pytest.mark.parametrize("name", ["red", "blue"])
def test_what_is_imagined_has_the_colour_of_its_words(tabletop, name, request):
    """Of these colours of the renderer the asked one is nearest, in hue: light and shade aside."""
    if name != "red":
        request.getfixturevalue("one_picture")
    mean = sampled_colours(Session(tabletop, FEW), f"{name} ball").mean(0)

    def likeness(colour: str) -> float:
        one, two = mean - mean.mean(), torch.tensor(COLOURS[colour]) - torch.tensor(COLOURS[colour]).mean()
        return float(torch.nn.functional.cosine_similarity(one, two, dim=0))

    assert max(ASKED, key=likeness) == name


def test_the_same_seed_imagines_the_same(tabletop, one_picture):
    one, again, other = (sampled_colours(Session(tabletop, Settings(steps=2, seed=s)), "red ball") for s in (0, 0, 7))
    assert torch.equal(one, again)
    assert one.shape != other.shape or not torch.equal(one, other)


def colours(*rows: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(rows)


def test_light_is_how_much_brighter_an_object_is_than_its_words_say():
    imagined_own = colours((0.4, 0.2, 0.2), (0.6, 0.4, 0.2))  # mean 0.5, 0.3, 0.2
    assert exposure_ratio(1.2 * imagined_own, imagined_own) == pytest.approx(1.2**EXPOSURE_POWER)
    assert exposure_ratio(0.9 * imagined_own, imagined_own) == pytest.approx(0.9**EXPOSURE_POWER)
    assert exposure_ratio(imagined_own, imagined_own) == pytest.approx(1)


@pytest.mark.parametrize("own", [(0.2, 0.3, 0.5), (0.1, 0.06, 0.04), (0.8, 0.48, 0.32)])
def test_an_object_of_another_colour_than_its_words_say_tells_nothing_of_the_light(own):
    """Another hue, and the same hue so dark or bright that light alone would not make it so."""
    assert exposure_ratio(colours(own), colours((0.5, 0.3, 0.2))) == 1
    assert exposure_ratio(colours(own), torch.zeros(0, 3)) == 1


def requested(
    model: DiffusionModel,
    photo: torch.Tensor,
    mask: torch.Tensor,
    looks: dict[str, Appearance],
    sources: dict[ObjectSource, SourceObject] | None = None,
) -> list[AppearanceChange | None]:
    """What is asked of objects of a photo (1, 3, h, w), all in one place, that keep it and get new appearances."""
    objects = tuple(object_edit(phrase, mask, (IDENTITY,), appearance=look) for phrase, look in looks.items())
    scene = LayeredScene(objects, CleanPlate.of(torch.zeros_like(photo)))
    return requested_changes(Session(model, FEW), scene, compose(photo, scene, margin=0.0), sources or {})


@pytest.fixture
def mask() -> torch.Tensor:
    mask = torch.zeros(1, 1, 64, 96)
    mask[..., 20:40, 30:60] = 1
    return mask


@pytest.mark.slow
def test_what_is_imagined_stands_in_the_photos_light(tabletop, mask):
    red, blue = (sampled_colours(Session(tabletop, FEW), f"{name} ball") for name in ("red", "blue"))
    photo = mask * 1.1 * red.mean(0)[None, :, None, None]
    (found,) = requested(tabletop, photo, mask, {"red ball": Appearance(words="blue ball")})
    assert torch.allclose(found.colours.colours, (1.1**EXPOSURE_POWER * blue).clamp(0, 1), atol=2e-3)


def test_a_look_of_another_photo_has_that_objects_colours(tabletop, mask):
    photo = torch.zeros(1, 3, 64, 96)
    photo[:, 0] = mask[:, 0]
    source = ObjectSource("other", "ball")
    seen = InvertedImage(photo, None, cached=False)  # its attention is not asked
    lender = SourceObject(Photo(to_bytes(photo)), seen, LocatedObject("ball", (), mask, from_user=True))
    with tabletop.metered() as meter:
        looks = {"cup": Appearance(source=source)}
        (found,) = requested(tabletop, photo / 2, mask, looks, {source: lender})
    assert found.colours.colours.unique(dim=0).tolist() == [[1.0, 0.0, 0.0]]
    assert meter.forward_equivalents == 0  # nothing is imagined


def test_a_look_is_dulled_where_its_words_drop_the_gloss(tabletop, mask, one_picture):
    photo = mask * torch.tensor((0.7, 0.1, 0.1))[None, :, None, None]
    looks = {"shiny red vase": Appearance(words="red vase"), "red vase": Appearance(words="shiny red vase")}
    found = requested(tabletop, photo, mask, looks)
    assert [change.colours.matte for change in found] == [True, False]
