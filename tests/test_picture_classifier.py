"""Pictures that a model can have drawn are told from others before it is loaded, which it then need not be."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import realedit
from inversion.errors import EditError, ModelError
from inversion.loading import load_model, open_model
from inversion.model import DiffusionModel
from inversion.parts import Sizes
from inversion.picture_classifier import CLASSIFIER_FILE, PictureClassifier
from inversion.weights import ModelSource, bundled_samples
from realedit import edits
from realedit.editing.filling import fill_marked
from realedit.editing.request import Hints
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.files.recipe import Recipe
from realedit.images import to_bytes
from realedit.inpainting.filler import AutomaticFill, ModelFill, PhotoFill
from realedit.objects.source_objects import SourcePhoto
from realedit.sampling.inverted_image import model_image
from realedit.sampling.session import Session
from realedit.settings import Mode, Settings
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, sample_scene
from tests.plain_scene import DISC, scene
from tests.test_recognition import fractal

SAMPLES = Path(__file__).parent.parent / "samples" / "photos"
SHARED = Path(__file__).parent.parent.parent / "shared" / "photos" / "coco"
MASK = torch.from_numpy(DISC)[None, None].float()
PIXELS = Settings(mode=Mode.PIXELS)
FOREIGN = Photo(to_bytes(fractal(144, 96)))  # like no scene


@pytest.fixture
def opened() -> DiffusionModel:
    return open_model(ModelSource(), device="cpu")


def untrained(seed: int) -> PictureClassifier:
    torch.manual_seed(seed)
    return PictureClassifier().eval()


def seen(model: DiffusionModel, path: Path) -> Tensor:
    return model_image(model, load_photo(path))


@pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 160), (128, 80)])
def test_what_is_written_is_read_but_for_half_precision(tmp_path, height, width):
    classifier = untrained(0)
    classifier.least.fill_(-2.5)
    classifier.save(tmp_path)
    again = PictureClassifier.load(tmp_path)
    pictures = torch.rand(3, 3, height, width, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(again(pictures), classifier(pictures), atol=2e-3, rtol=2e-3)
    assert again.least == -2.5
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_what_scores_least_is_the_limit_on_both_sides():
    classifier, picture = untrained(2), torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    score = float(classifier(picture).detach())
    classifier.least.fill_(score - 0.01)
    assert classifier.may_hold(picture)
    classifier.least.fill_(score + 0.01)
    assert not classifier.may_hold(picture)


def test_a_folder_without_one_has_none(folders):
    assert PictureClassifier.load(folders["epsilon"]) is None
    assert open_model(ModelSource(str(folders["epsilon"])), device="cpu").pictures is None


@pytest.mark.parametrize("damage", ["cut off", "foreign"])
def test_damaged_ones_are_told_in_one_line(tmp_path, damage):
    untrained(0).save(tmp_path)
    path = tmp_path / CLASSIFIER_FILE
    if damage == "cut off":
        path.write_bytes(path.read_bytes()[:100])
    else:
        save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match=r"no classifier of pictures; fetch the model again, or delete it") as error:
        PictureClassifier.load(tmp_path)
    assert "\n" not in str(error.value)


def test_every_sample_and_held_out_scene_may_be_the_models(opened):
    photos = [seen(opened, path) for path in sorted(SAMPLES.glob("*.png"))]
    held_out = [sample_scene(FIRST_HELD_OUT_SEED + 40_000 + k) for k in range(12)]
    photos += render(held_out).photos.split(1)
    assert len(photos) == 24
    assert all(opened.pictures.may_hold(photo) for photo in photos)


def test_what_is_no_scene_is_told(opened):
    """Noise, stripes, and a picture with the spectrum of photos."""
    noise = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    stripes = (torch.arange(128) // 4 % 2).float().expand(1, 3, 128, 128)
    assert not opened.pictures.may_hold(noise)
    assert not opened.pictures.may_hold(stripes)
    assert not opened.pictures.may_hold(model_image(opened, FOREIGN))


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real photos")
def test_most_photos_are_told(opened):
    told = [not opened.pictures.may_hold(seen(opened, path)) for path in sorted(SHARED.glob("*[0-9].jpg"))]
    assert len(told) == 12
    assert sum(told) >= 8


def test_a_model_that_is_opened_says_what_a_loaded_one_says(opened, tabletop):
    assert not opened.is_loaded
    assert (opened.name, opened.fingerprint, opened.sizes) == (tabletop.name, tabletop.fingerprint, tabletop.sizes)
    assert not opened.is_loaded
    latent = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(opened.decode(latent), tabletop.decode(latent))
    assert opened.is_loaded


def test_opened_models_of_every_kind_have_the_sizes_of_their_networks(kind, folders):
    opened = open_model(ModelSource(str(folders[kind])), device="cpu")
    loaded = load_model(str(folders[kind]), device="cpu")
    assert opened.sizes == loaded.parts.sizes
    assert opened.fingerprint == loaded.fingerprint
    assert loaded.is_loaded


def test_what_does_not_say_its_sizes_is_loaded_at_once():
    opened = open_model(ModelSource(str(bundled_samples() / "unconditional")), device="cpu")
    assert opened.is_loaded
    assert opened.sizes == opened.parts.sizes == Sizes(latent_factor=1, pixel_multiple=4, native_size=32)


def test_sizes_by_hand():
    """Three levels of the autoencoder halve twice, four of the U-Net thrice; latents of 64 by 48 are of 192 pixels."""
    unet = {"block_out_channels": [8, 8, 8, 8], "sample_size": [64, 48]}
    assert Sizes.of(unet, {"block_out_channels": [4, 4, 4]}) == Sizes(4, 32, 192)
    assert not Sizes.told_by({"sample_size": 64}, {"block_out_channels": [4]})


def test_an_edit_of_what_it_cannot_know_does_not_load_it(opened):
    """By what the photo looks like, or as asked: both are the same edit."""
    removed = [
        realedit.edit(
            opened,
            FOREIGN,
            "disc",
            edits.Remove("disc"),
            hints=Hints({"disc": MASK}),
            settings=settings,
            fill=PhotoFill(),
        )
        for settings in (Settings(), PIXELS)
    ]
    assert not opened.is_loaded
    told, asked = (done.report.mode for done in removed)
    assert told.name == asked.name == "pixels"
    assert "does not know" in told.why
    assert "no model is asked" in asked.why
    assert (removed[0].photo.rgb == removed[1].photo.rgb).all()
    outside = removed[0].report.outside
    assert outside.identical
    assert (outside.perceptual, outside.perceptual_name) == (0, None)


def test_what_the_model_knows_is_edited_by_pixels_if_asked(opened):
    photo = load_photo(SAMPLES / "02.png")
    mask = torch.zeros(1, 1, 128, 128)
    mask[..., 50:90, 40:80] = 1
    edit = edits.Move("thing", by=(0.1, 0.0))
    done = realedit.edit(opened, photo, "thing", edit, hints=Hints({"thing": mask}), settings=PIXELS, fill=PhotoFill())
    assert not opened.is_loaded
    assert done.report.evaluations == 0
    assert done.report.mode.name == "pixels"


def test_where_no_model_is_asked_objects_are_marked(opened):
    with pytest.raises(EditError, match='nothing is found by words; mark "disc" with --mask, --box or --point'):
        realedit.edit(opened, scene(), "a photo of disc", edits.Remove("disc"), settings=PIXELS)
    edit = {"kind": "remove", "object": "disc"}
    with pytest.raises(EditError, match='mark "disc"'):
        Recipe.model_validate({"edit": [edit], "mode": "pixels"})
    marked = {"edit": [edit], "mode": "pixels", "where": {"disc": {"box": (0.1, 0.1, 0.5, 0.5)}}}
    assert Recipe.model_validate(marked).mode == "pixels"


def test_what_is_taken_from_another_photo_is_marked_then_too(opened):
    given = Hints({"disc": MASK}, sources={"other": SourcePhoto(FOREIGN, "a photo of a ball")})
    taken = edits.Transfer("disc", edits.ObjectSource("other"))
    with pytest.raises(EditError, match="mark what is taken: --from-mask, --from-box or --from-point"):
        realedit.edit(opened, FOREIGN, "disc", taken, hints=given, settings=PIXELS)
    assert not opened.is_loaded


def test_the_model_cannot_fill_what_it_is_not_asked_of(opened):
    hints = Hints({"disc": MASK})
    with pytest.raises(EditError, match="no model is asked, so it cannot fill its place; take --fill migan"):
        realedit.edit(opened, scene(), "disc", edits.Remove("disc"), hints=hints, settings=PIXELS, fill=ModelFill())


def test_a_mark_in_a_photo_that_it_cannot_know_is_filled_without_it(opened):
    filled = fill_marked(Session(opened), FOREIGN, "a floor", MASK, AutomaticFill())
    assert not opened.is_loaded
    assert (filled.rgb[~DISC] == FOREIGN.rgb[~DISC]).all()
    assert (filled.rgb[DISC] != FOREIGN.rgb[DISC]).any()
