"""Texts that are found with a photo: which of them are captions, and when they are taken."""

import shutil
from pathlib import Path

import pytest

from inversion.errors import EditError
from realedit.commands.context import RunOptions
from realedit.files.captions import Prompt, caption_of, described_caption
from realedit.files.photo import Photo
from realedit.settings import ModelChoice
from tests.test_reading import RGB

CAPTIONS = [
    "a vase on a table",
    "RED BALL ON A TABLE",
    "black_vase, table",
    "1girl, solo, vase",
    "3 red balls",
    "a photo of a digital camera on a desk",
    "Portrait of Anna",
    "桌子上的红球",
    "Two dogs\nplaying in the garden",
    "Urlaub 2019",
]
WRITTEN_BY_CAMERAS = [
    "OLYMPUS DIGITAL CAMERA         ",
    "SONY DSC",
    "Minolta DSC",
    "KONICA MINOLTA DIGITAL CAMERA",
    "DCF",
    "<Digimax S500 / Kenox S500 / Digimax Cyber 530>",
    "SAMSUNG DIGITAL CAMERA",
    "Kodak Digital Still Camera",
    "Created with GIMP",
    "Created with The GIMP 2.10",
    "File written by Adobe Photoshop 5.0",
    "Exif_JPEG_PICTURE",
    'charset="Ascii"',
    "ASCII\0\0\0",
    "\0" * 30,
    "   ",
    "hdrpl",
    "IMG_1234",
    "DSC00012.JPG",
    "2004:05:06 12:00:00",
    "https://example.org/photo",
    "Screenshot",
    "untitled",
]
WRITTEN_BY_PROGRAMS = {
    "labels of boxes": b"0 0.5 0.5 0.2 0.3\n1 0.2 0.3 0.1 0.1\n",
    "a label of a box with its name": b"vase 0.5 0.4 0.2 0.3",
    "labels of another detector": b"Car 0.00 0 -1.82 804.79 167.34 995.43 327.94",
    "a number": b"1\n",
    "JSON": b'{"label": "a vase"}',
    "a list": b'["a vase", "a table"]',
    "XML": b"<annotation><name>vase</name></annotation>",
    "a table": b"name,colour,place\nvase,black,table\nball,red,floor",
    "a table of files": b"file,label\na.jpg,vase",
    "keys and values": b"Make: Canon\nModel: EOS\nISO: 100\n",
    "a hash": b"d41d8cd98f00b204e9800998ecf8427e  photo.png",
    "bytes": bytes(range(256)),
    "a picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "nothing": b"",
    "an essay": b"a vase on a table " * 500,
    "a log": b"the vase was moved\n" * 30,
}


@pytest.mark.parametrize("text", CAPTIONS)
def test_what_people_write_is_a_caption(text):
    assert caption_of(text.encode()) == text
    assert described_caption(text) == text


@pytest.mark.parametrize("text", WRITTEN_BY_CAMERAS)
def test_what_cameras_and_programs_write_by_themselves_is_none(text):
    assert described_caption(text) is None


@pytest.mark.parametrize("name", WRITTEN_BY_PROGRAMS)
def test_what_a_program_wrote_for_another_is_none(name):
    assert caption_of(WRITTEN_BY_PROGRAMS[name]) is None


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_captions_in_every_usual_coding(coding):
    assert caption_of("a café table\r\n".encode(coding)) == "a café table"


def test_settings_of_image_generators_are_cut_off():
    text = "<lora:vases:0.8> a black vase\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, Seed: 1"
    assert caption_of(text.encode()) == "a black vase"


SHARED = RunOptions(ModelChoice(), None, "ddim", 4, 0)
DESCRIBED = Photo(RGB, description="a black vase on a table")
MADE_UP = Prompt("a photo of egg", "made up from the object's name")


def prompt_of(path: Path, photo: Photo, phrase: str, assumed: str | None) -> Prompt:
    return SHARED.prompt_of(path, photo, [phrase], assumed)


def test_a_caption_gives_way_to_a_mark_unless_it_names_what_is_marked(tmp_path):
    path = tmp_path / "a.png"
    assert prompt_of(path, DESCRIBED, "egg", MADE_UP.text) == MADE_UP
    named = Prompt("a black vase on a table", "the photo's metadata")
    assert prompt_of(path, DESCRIBED, "black vase", "a photo of black vase") == named
    assert prompt_of(path, DESCRIBED, "egg", None) == named  # whose words are then listed
    twice = Photo(RGB, description="an egg beside an egg")
    assert prompt_of(path, twice, "egg", MADE_UP.text) == MADE_UP


def test_of_two_captions_the_one_is_taken_that_names_the_object(tmp_path):
    path = tmp_path / "a.png"
    path.with_suffix(".txt").write_text("a brown egg on a plate")
    beside = Prompt("a brown egg on a plate", "the text file beside the photo")
    assert prompt_of(path, DESCRIBED, "egg", None) == beside
    assert prompt_of(path, DESCRIBED, "black vase", None).source == "the photo's metadata"
    assert SHARED.prompt_of(path, DESCRIBED) == beside
    path.with_suffix(".txt").write_text("0 0.5 0.5 0.2 0.3")
    assert SHARED.prompt_of(path, DESCRIBED).source == "the photo's metadata"


def test_what_is_no_caption_is_said_where_one_is_needed(tmp_path):
    camera = Photo(RGB, description="OLYMPUS DIGITAL CAMERA")
    with pytest.raises(EditError, match=r'no prompt for a\.png.*say "OLYMPUS DIGITAL CAMERA", which is no caption'):
        SHARED.prompt_of(tmp_path / "a.png", camera, ["egg"])


def test_a_label_file_does_not_beat_a_mark_and_the_report_says_so(folders, tmp_path):
    from tests.test_cli import BOX, PHOTOS, run

    shutil.copy(PHOTOS / "03.png", tmp_path / "photo.png")
    (tmp_path / "photo.txt").write_text("0 0.5 0.5 0.2 0.3\n")
    asked = ["thing", *BOX, "--as", "green thing", "--keep-going", "--model", folders["epsilon"]]
    text = run("restyle", tmp_path / "photo.png", *asked).stdout
    assert 'prompt          "a photo of thing", made up from the object\'s name' in text
