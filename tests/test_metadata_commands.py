"""Files with metadata through a whole command, as a user edits them."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit.files.reading import decode
from tests.metadata_files import XMP_NAME, block, chunk, dataset, exif_jpeg, packet, png, resource, segment
from tests.test_cli import run

SUFFIXES = ["jpg", "png"]


@pytest.fixture(scope="module")
def options(folders, tmp_path_factory) -> list[object]:
    """A new colour by a tiny random model under a mask."""
    mask = np.zeros((70, 90), np.uint8)
    mask[25:50, 30:55] = 255
    path = tmp_path_factory.mktemp("mask") / "mask.png"
    Image.fromarray(mask).save(path)
    tiny = ["--model", folders["epsilon"], "--steps", "2", "--offline", "--keep-going"]
    return ["vase", "--as", "red vase", "--prompt", "a vase on a table", "--mask", path, *tiny]


def edited(tmp_path: Path, data: bytes, suffix: str, options: list[object], *more: object) -> tuple[bytes, str]:
    """The file that comes of an edit, and what is said on the way."""
    kind = {b"\xff\xd8": "jpg", b"\x89P": "png"}[data[:2]]
    (tmp_path / f"photo.{kind}").write_bytes(data)
    result = run("restyle", tmp_path / f"photo.{kind}", *options, "-o", tmp_path / f"out.{suffix}", *more)
    return (tmp_path / f"out.{suffix}").read_bytes(), result.stderr


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_words_stay_the_place_goes_and_so_does_the_thumbnail(tmp_path, options, suffix):
    tags = {0x8298: (2, "© Zoë\0".encode()), 0x8825: {1: (2, b"N\0")}}
    data = jpeg_of(
        exif_jpeg(block(tags, after={0x9999: (7, b"THE OLD PICTURE")})),
        segment(0xE1, XMP_NAME + packet('photoshop:City="Hamburg" dc:source="Ännchen"')),
        segment(0xED, b"Photoshop 3.0\0" + resource(0x404, dataset(2, 92, b"Elbstrasse"))),
        segment(0xFE, "Zoë".encode()),
    )
    result, said = edited(tmp_path, data, suffix, options, "--strip-gps")
    assert "© Zoë\0".encode() in result
    assert "Ännchen".encode() in result
    assert not any(word in result for word in (b"Hamburg", b"Elbstrasse", b"THE OLD PICTURE"))
    assert decode(result, "a").metadata.exif.count(b"\x25\x88") == 0
    assert "left out, as it shows the old picture or cannot be kept: a thumbnail" in said


def jpeg_of(*segments: bytes) -> bytes:
    file = io.BytesIO()
    scene().save(file, "JPEG", quality=90)
    return file.getvalue()[:2] + b"".join(segments) + file.getvalue()[2:]


def scene() -> Image.Image:
    rgb = np.random.default_rng(0).normal(160, 6, (70, 90, 3))
    rgb[25:50, 30:55] -= 90
    return Image.fromarray(rgb.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_linear_picture_with_texts_looks_the_same(tmp_path, options, suffix):
    file = io.BytesIO()
    scene().save(file, "PNG")
    chunks = chunk(b"gAMA", (100_000).to_bytes(4)), chunk(b"tEXt", b"parameters\0Steps: 20")
    data = file.getvalue()[:33] + b"".join(chunks) + file.getvalue()[33:]
    result, said = edited(tmp_path, data, suffix, options)
    kept = all(each in result for each in chunks)
    assert kept == (suffix == "png")
    assert ("has no place for these texts, which are left out: parameters" in said) == (suffix != "png")
    assert ("kept, though it says how the picture before the edit was drawn" in said) == kept
    before, after = decode(data, "a"), decode(result, "b")
    difference = (before.small(before.size) - after.small(after.size)).abs()[0, :, :10]
    assert difference.mean().item() * 255 < 3
    sidecar = json.loads((tmp_path / f"out.{suffix}.realedit.json").read_text())
    assert sidecar["prompt"] == "a vase on a table"


def test_a_drawn_picture_says_its_prompt_as_it_was_typed(tmp_path, folders):
    for suffix in ("jpg", "png"):
        out = tmp_path / f"a.{suffix}"
        run("generate", "--prompt", "a café ☕", "-o", out, "--model", folders["epsilon"], "--steps", "2", "--offline")
        assert "a café ☕".encode() in out.read_bytes()


def test_metadata_of_no_use_do_not_cost_the_edit(tmp_path, options):
    data = png(
        chunk(b"tEXt", b"a\0" + b"x" * 2_000_000), chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"<x:RDF " * 100_000)
    )
    result, said = edited(tmp_path, data, "png", options)
    assert "XMP that is broken or too large" in said
    assert "the text 'a', broken or too large" in said
    assert len(result) < 100_000
