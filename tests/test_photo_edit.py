"""Edits of what the model does not know, made of the photo's own pixels."""

import numpy as np
import pytest
import torch

import realedit
from inversion.errors import EditError
from realedit import edits
from realedit.editing.request import Hints
from realedit.evaluation.metrics import PerceptualMetric
from realedit.files.photo import Photo
from realedit.inpainting.filler import AutomaticFill, ModelFill, PhotoFill
from tests.plain_scene import COLUMNS, DISC, HEIGHT, ROWS, SHADE, WIDTH, floor, scene

SQUARES = PerceptualMetric("squared difference", lambda a, b: (a - b).square().mean(1, keepdim=True))
POST = np.zeros((HEIGHT, WIDTH), bool)
POST[:, 86:92] = True


def edited(model, photo: Photo, edit: edits.Edit, **options) -> "realedit.editing.pipeline.EditResult":
    """By copies alone unless told otherwise: what fills the old place matters to two tests."""
    front = options.pop("front", None)
    hints = Hints({"disc": torch.from_numpy(DISC).float()[None, None]}, pitch=0.0, front=front)
    return realedit.edit(
        model, photo, "a photo of a disc", edit, hints=hints, perceptual=SQUARES, **{"fill": PhotoFill(), **options}
    )


def test_what_is_moved_is_its_own_pixels_and_leaves_floor(model):
    photo = scene()
    result = edited(model, photo, edits.Move("disc", by=(60 / WIDTH, 0)), fill=AutomaticFill())
    inside = (COLUMNS - 100) ** 2 + (ROWS - 50) ** 2 < 10**2
    moved = result.photo.rgb[inside].astype(int)
    assert np.abs(moved - photo.rgb[np.roll(inside, -60, 1)]).max() <= 8
    left = result.photo.rgb[DISC].astype(float)
    assert np.abs(left.mean(0) - (150, 130, 110)).max() < 4
    assert 3 < left.std(0).mean() < 9, "with the floor's grain"
    outside = result.editable[0, 0].numpy() < 0.5
    assert np.array_equal(result.photo.rgb[outside], photo.rgb[outside])
    assert result.report.fill is not None
    assert result.report.fill.name == "MI-GAN, with the photo's detail"
    assert result.report.objects[0].reached_position is None


def test_what_may_be_flat_keeps_its_straight_edges(model):
    """It is a solid only in a photo of which the user says how far down the camera looked."""
    photo, panel = scene(), np.zeros((HEIGHT, WIDTH), bool)
    panel[20:50, 50:94] = True
    photo.rgb[panel] = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)[panel]
    mask = {"panel": torch.from_numpy(panel).float()[None, None]}

    def moved(pitch: float | None) -> np.ndarray:
        edit, hints = edits.Move("panel", by=(0, 30 / HEIGHT)), Hints(mask, pitch=pitch)
        options = {"hints": hints, "perceptual": SQUARES, "fill": PhotoFill()}
        return realedit.edit(model, photo, "a photo of a panel", edit, **options).photo.rgb[53:77, 53:91].astype(int)

    before = photo.rgb[23:47, 53:91].astype(int)
    assert np.abs(moved(None) - before).max() <= 8
    assert np.abs(moved(30.0) - before).mean() > 10


def test_what_stays_in_front_keeps_its_pixels(model):
    photo = scene()
    photo.rgb[POST] = (200, 40, 40)
    front = torch.from_numpy(POST).float()[None, None]
    to = edits.Move("disc", by=(50 / WIDTH, 0))
    assert not np.array_equal(edited(model, photo, to).photo.rgb[POST], photo.rgb[POST])
    behind = edited(model, photo, to, front=front).photo.rgb
    assert np.array_equal(behind[:, 87:91], photo.rgb[:, 87:91])
    assert (behind[45:55, 94:98, 2] > 150).all(), "beside the post the disc is seen"


def test_a_shadow_goes_with_its_object_unless_it_shall_stay(model):
    photo, shaded = scene(shade=True), SHADE & ~DISC & (ROWS < 66)
    gone = edited(model, photo, edits.Remove("disc")).photo.rgb[shaded].mean()
    stays = edited(model, photo, edits.Remove("disc"), settings=realedit.Settings(shadows=False))
    assert gone > 115
    core = shaded & ((COLUMNS - 40) ** 2 + (ROWS - 50) ** 2 > 19**2)  # beyond what masks miss at edges
    assert np.array_equal(stays.photo.rgb[core], photo.rgb[core])


LIGHTS = {
    "across": 0.6 + 0.5 * COLUMNS / WIDTH,
    "vignette": 1.2 - 0.8 * np.hypot(COLUMNS / WIDTH - 0.5, ROWS / HEIGHT - 0.5),
    "backdrop": 1.1 - 0.3 / (1 + np.exp((60 - ROWS) / 5)),
    "spot": 0.3 + 0.9 * np.exp(-(np.square(COLUMNS - 72) + np.square(ROWS - 40)) / 60**2),
}


@pytest.mark.parametrize("light", LIGHTS)
def test_the_grounds_own_light_is_no_shadow(model, light):
    lit = (floor() * LIGHTS[light][..., None]).clip(0, 255).astype(np.uint8)
    photo = Photo(np.where(DISC[..., None], scene().rgb, lit))
    result = edited(model, photo, edits.Move("disc", by=(60 / WIDTH, 0)))
    around = np.hypot(COLUMNS - 40, ROWS - 50), np.hypot(COLUMNS - 100, ROWS - 50)
    assert not (result.editable[0, 0].numpy() > 0.5)[np.minimum(*around) > 22].any()
    assert np.abs(result.photo.rgb[DISC].astype(float) - lit[DISC]).mean() < 9, "grain against other grain is 7"
    assert result.report.objects[0].reached_position is None, "a model that does not see it measures nothing"


def test_a_new_colour_is_the_discs_alone(model):
    photo = scene()
    result = edited(model, photo, edits.Restyle("disc", "red disc"))
    inner = (COLUMNS - 40) ** 2 + (ROWS - 50) ** 2 < 11**2
    red, _, blue = result.photo.rgb[inner].astype(int).T
    assert (red > blue + 60).all()
    assert len(np.unique(red)) > 1, "its stripes stay"
    away = (COLUMNS - 40) ** 2 + (ROWS - 50) ** 2 > 18**2
    assert np.array_equal(result.photo.rgb[away], photo.rgb[away])
    with pytest.raises(EditError, match="names no colour"):
        edited(model, photo, edits.Restyle("disc", "striped disc"))


class Grey:
    """Fills holes with grey."""

    name = "grey"

    def __call__(self, photo, hole, others):
        return torch.where(hole > 0.5, 0.5, photo)


def test_dimmed_ground_at_the_foot_is_drawn_anew_unless_shadows_shall_stay(model):
    """Too faint to be a shadow that goes along, and around the foot alone."""
    away = np.hypot((np.abs(COLUMNS - 40) - 10).clip(0), ROWS - 66)
    light = 1 - 0.12 * (1 - away / 8).clip(0)
    photo = Photo(np.where(DISC[..., None], scene().rgb, (floor() * light[..., None]).astype(np.uint8)))
    dim = (light < 0.96) & (ROWS > 66) & (np.hypot(COLUMNS - 40, ROWS - 50) > 19)
    drawn = edited(model, photo, edits.Remove("disc"), fill=Grey()).photo.rgb
    assert np.abs(drawn[dim].astype(int) - 128).mean() < 5
    assert np.abs(photo.rgb[dim].astype(int) - 128).mean() > 10
    stays = edited(model, photo, edits.Remove("disc"), fill=Grey(), settings=realedit.Settings(shadows=False))
    assert np.array_equal(stays.photo.rgb[dim], photo.rgb[dim])


def test_old_places_are_filled_as_asked_and_the_verdict_tells(model):
    photo = scene()
    result = edited(model, photo, edits.Remove("disc"), fill=Grey())
    middle = (COLUMNS - 40) ** 2 + (ROWS - 50) ** 2 < 8**2
    assert (np.abs(result.photo.rgb[middle].astype(int) - 128) <= 1).all()
    assert result.report.fill.name == "grey"
    assert result.report.verdict.failed
    assert "old place" in result.report.verdict.reasons[0]
    report = edited(model, photo, edits.Remove("disc"), fill=PhotoFill()).report
    assert report.fill.why == "as asked"
    assert report.verdict.level.value == "good", report.verdict.to_text()
    with pytest.raises(EditError, match="does not know what is edited"):
        edited(model, photo, edits.Remove("disc"), fill=ModelFill())
