"""The model knows what it was trained on, and what words name there; all else is told before anything is inverted."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import realedit
from inversion.errors import PhraseError, RecognitionError
from realedit import edits
from realedit.cli import main
from realedit.editing.request import Hints
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.geometry.boxes import box_mask
from realedit.images import to_bytes
from realedit.objects.recognition import (
    LEAST_SAVED,
    WordProbe,
    knows_photo,
    linear_error,
    probe_words,
    require_known,
    require_words,
)
from realedit.sampling.inverted_image import model_image
from realedit.sampling.session import Session
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, sample_scene

SAMPLES = Path(__file__).parent.parent / "samples" / "photos"
PROMPT = "a photo of a yellow vase beside a corgi on a white table"


def fractal(width: int, height: int) -> torch.Tensor:
    """A picture (1, 3, H, W) whose amplitude falls as in photos, with the frequency, and which shows nothing."""
    noise = torch.randn(3, height, width, generator=torch.Generator().manual_seed(5))
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    fall = 1 / (down.square() + across.square()).sqrt().clamp(min=1 / height)
    image = torch.fft.irfft2(torch.fft.rfft2(noise) * fall, s=(height, width))
    return ((image - image.mean()) / (4 * image.std()) + 0.5).clamp(0, 1)[None]


@pytest.fixture(scope="module")
def session(tabletop) -> Session:
    return Session(tabletop)


@pytest.fixture(scope="module")
def table(tabletop) -> tuple[torch.Tensor, str]:
    """A wide sample photo at the model's size, and its caption."""
    return model_image(tabletop, load_photo(SAMPLES / "07-wide.png")), (SAMPLES / "07-wide.txt").read_text().strip()


@pytest.fixture(scope="module")
def strange(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "strange.png"
    Image.fromarray(to_bytes(fractal(160, 96))).save(path)
    return path


def test_linear_error_of_a_flat_spectrum_by_hand():
    """One bright cell of 3 in 6 by 10 has the power 9 / 60 at every frequency, and 0 at the mean."""
    latent = torch.zeros(1, 1, 6, 10)
    latent[0, 0, 2, 7] = 3.0
    power = 9 / 60
    for alpha in (0.2, 0.7):
        expected = 59 / 60 * alpha * power / (alpha * power + 1 - alpha)
        assert linear_error(latent, alpha) == pytest.approx(expected, rel=1e-4)


def test_knows_tables_and_what_stands_there(session, table):
    image, caption = table
    assert knows_photo(session, image)
    for phrase in ("orange bottle", "spotted brown bowl"):
        assert probe_words(session, image, caption, phrase).sees()


def test_does_not_see_what_is_not_there(session, table):
    image, caption = table
    for words in ("corgi", "yellow whale", "green cone"):
        assert not probe_words(session, image, caption.replace("orange bottle", words), words).sees()
    with pytest.raises(PhraseError):
        require_words(session, image, caption, ["green cone"])


def test_a_mask_has_to_show_what_the_words_say(session, table):
    image, caption = table
    scene = sample_scene(FIRST_HELD_OUT_SEED + 107, 160, 96)  # the one of the sample photo
    drawn = render([scene], 160, 96)
    masks = {thing.phrase: (drawn.masks[:, k : k + 1] > 0.5).float() for k, thing in enumerate(scene.things)}
    assert probe_words(session, image, caption, "orange bottle").sees(masks["orange bottle"])
    assert not probe_words(session, image, caption, "orange bottle").sees(masks["spotted brown bowl"])


def test_knows_nothing_of_other_pictures(session, strange):
    image = load_photo(strange).tensor()
    assert not knows_photo(session, image)
    assert not probe_words(session, image, "a red ball on a wooden table", "red ball").sees()


def test_refusals_are_one_line_that_says_what_helps(session, table, strange):
    image, caption = table
    with pytest.raises(RecognitionError, match=r'does not see "corgi".*--mask, --box or --point.*--model') as error:
        require_words(session, image, caption.replace("orange bottle", "corgi"), ["corgi"])
    assert str(error.value).startswith("the bundled model knows rendered table scenes only and")
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 1
    with pytest.raises(RecognitionError, match="another --model"):
        require_known(session, load_photo(strange).tensor(), PROMPT)


def test_words_are_refused_and_with_a_mask_no_name_matters(tabletop, strange):
    """Nothing is inverted of a photo that the model does not know."""
    photo = load_photo(strange)
    width, height = photo.size
    mask = box_mask((0.4, 0.4, 0.55, 0.65), photo.size)
    results = []
    with pytest.raises(RecognitionError):
        realedit.edit(tabletop, photo, "a photo of a red ball", edits.Remove("red ball"))
    for name in ("corgi", "red ball"):
        edit = edits.Restyle(name, f"green {name}")
        result = realedit.edit(tabletop, photo, f"a photo of a {name}", edit, hints=Hints({name: mask}))
        assert result.report.mode.name == "pixels"
        results.append(result.photo.rgb)
    assert results[0].shape == (height, width, 3)
    assert np.array_equal(*results)


@pytest.mark.parametrize(
    "command",
    [["objects"], ["relook", "--as", "a photo of a blue ball"], ["relayout"], ["transfer", "--whole", "--from"]],
    ids=lambda command: command[0],
)
def test_commands_refuse_before_they_invert(strange, tmp_path, command):
    output = tmp_path / "out.png"
    other = [str(SAMPLES / "07-wide.png")] if command[-1] == "--from" else []
    asked = [command[0], str(strange), *command[1:], *other, "--prompt", PROMPT, "-o", str(output)]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 1, done.output
    assert "the bundled model knows rendered table scenes only" in done.stderr
    assert not output.exists()
    assert not list(Path(os.environ["REALEDIT_CACHE"]).glob("*.safetensors"))


def test_photo_class_gives_the_size_that_is_asked_of(tabletop):
    assert model_image(tabletop, Photo(to_bytes(fractal(300, 150)))).shape == (1, 3, 96, 176)


def test_words_that_save_little_are_not_believed_of_a_mask():
    """As on a dark photo, which is as smooth as rendered tables: any word saves a little of it, that of a whale as much
    as that of a thing. What true words save with other models is not known: anything counts there."""
    region = torch.zeros(1, 1, 8, 8)
    region[..., 2:5, 2:5] = 1
    attention, without = 0.01 + region, torch.ones(3, 1, 8, 8)
    for saved, least, believed in ((0.13, 0.1, True), (0.08, 0.1, False), (0.08, 0.0, True), (-0.01, 0.0, False)):
        probed = WordProbe(torch.full((3, 2, 8, 8), saved), without, attention, least)
        assert probed.sees(region) is believed


def test_how_much_words_must_save_is_known_of_the_bundled_model_alone(tabletop, model):
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    found = [probe_words(Session(each), image, "a red ball", "red ball").least for each in (tabletop, model)]
    assert found == [LEAST_SAVED, 0]
