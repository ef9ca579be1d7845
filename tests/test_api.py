"""The front door: the names that the package gives, each used as its documentation says."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import realedit
from realedit import edits
from realedit.editing.request import Hints
from realedit.evaluation.metrics import PerceptualMetric
from realedit.geometry.boxes import box_mask
from realedit.objects.source_objects import SourcePhoto
from realedit.settings import Mode

FEW = realedit.Settings(steps=3, method="ddim", mode=Mode.COMPOSITE)
SQUARES = PerceptualMetric("squared difference", lambda a, b: (a - b).square().mean(1, keepdim=True))
OTHER = edits.ObjectSource("other", "red ball")


def picture(width: int = 96, height: int = 80) -> "np.ndarray":
    """A grey picture with a red and a blue square."""
    rgb = np.full((height, width, 3), 150, np.uint8)
    rgb[40:60, 12:32] = (200, 30, 30)
    rgb[40:60, 60:80] = (30, 30, 200)
    return rgb


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    from PIL import Image

    path = tmp_path_factory.mktemp("photos") / "photo.png"
    Image.fromarray(picture()).save(path)
    return realedit.load_photo(str(path))


def test_the_package_gives_eight_names():
    assert realedit.__all__ == sorted(
        ("edit", "generate", "load_model", "load_photo", "save_photo", "compare", "edits", "Settings")
    )


@pytest.mark.parametrize(
    "wanted",
    [
        edits.Move("red square", by=(0.1, 0.05)),
        edits.Resize("red square", 0.8),
        edits.Remove("red square"),
        edits.Duplicate("red square", to=(0.5, 0.3)),
        edits.Swap("red square", "blue square"),
        edits.Restyle("red square", "green square"),
        edits.Transfer("red square", OTHER),
        edits.Insert(OTHER, to=(0.5, 0.3)),
    ],
    ids=lambda wanted: type(wanted).__name__,
)
def test_every_edit_is_one_call(model, photo, wanted):
    """With random weights and marked objects: pixels change where they may, and nowhere else."""
    size = photo.size
    masks = {
        "red square": box_mask((12 / 96, 0.5, 32 / 96, 0.75), size),
        "blue square": box_mask((60 / 96, 0.5, 80 / 96, 0.75), size),
    }
    sources = {"other": SourcePhoto(photo, "a photo of a red ball", masks["blue square"])}
    phases = []
    result = realedit.edit(
        model,
        photo,
        "a red square and a blue square",
        wanted,
        hints=Hints(masks, sources=sources, pitch=10.0),
        settings=FEW,
        perceptual=SQUARES,
        progress=phases.append,
    )
    outside = result.editable[0, 0].numpy() < 0.5
    assert np.array_equal(result.photo.rgb[outside], photo.rgb[outside])
    assert not np.array_equal(result.photo.rgb, photo.rgb)
    assert result.report.outside.identical
    assert phases[0] == "finding the object"


def test_a_drawn_picture_is_edited_without_inversion(tabletop, tmp_path):
    settings = replace(FEW, method="null-text", seed=3)
    drawn = realedit.generate(tabletop, "a photo of a red ball on a grey table", (128, 96), settings)
    assert drawn.size == (144, 112) or drawn.size[0] / drawn.size[1] == pytest.approx(4 / 3, abs=0.1)
    realedit.save_photo(drawn, str(tmp_path / "drawn.png"))
    again = realedit.load_photo(str(tmp_path / "drawn.png"))
    assert np.array_equal(again.rgb, drawn.rgb)
    assert again.description == "a photo of a red ball on a grey table"
    report = realedit.edit(
        tabletop, again, again.description, edits.Remove("red ball"), settings=settings, perceptual=SQUARES
    ).report
    assert report.from_cache


def test_photos_are_compared_outside_what_may_change(photo):
    changed = replace(photo, rgb=picture())
    changed.rgb[:, :48] += 10
    right = torch.zeros(1, 1, 80, 96)
    right[..., :48] = 1
    assert not realedit.compare(photo, changed, perceptual=SQUARES).identical
    kept = realedit.compare(photo, changed, right, SQUARES)
    assert kept.identical
    assert kept.perceptual == 0
    with pytest.raises(ValueError, match="one size"):
        realedit.compare(photo, replace(photo, rgb=picture(height=96)), perceptual=SQUARES)
