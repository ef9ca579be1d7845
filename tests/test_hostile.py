"""Whatever comes in: every row ends in one clear line or a good result, the right exit code, nothing lost and
nothing left behind."""

import io
import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.test_batch import MOVE
from tests.test_cli import FAST, PHOTOS, error_line, run
from tests.test_reading import heic, pillow

SCENE = Image.open(PHOTOS / "03.png").convert("RGB")
JPEG = pillow(SCENE, "JPEG", quality=90)
PNG = (PHOTOS / "03.png").read_bytes()
WEBP = pillow(SCENE, "WEBP")
TIFF = pillow(SCENE, "TIFF")
AVIF = pillow(SCENE, "AVIF")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *, data: bytes = b"", depth: int = 8, kind: int = 2) -> bytes:
    """A PNG that says it has this size."""
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    packed = chunk(b"IDAT", zlib.compress(data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + packed + chunk(b"IEND", b"")


def with_chunk(kind: bytes, body: bytes) -> bytes:
    return PNG[:33] + chunk(kind, body) + PNG[33:]


def gif(frames: int) -> bytes:
    pictures = [Image.new("RGB", (80, 80), (40 * i, 0, 0)) for i in range(frames)]
    return pillow(pictures[0], "GIF", save_all=True, append_images=pictures[1:])


def endless_tiff() -> bytes:
    """A TIFF whose list of tags goes back to its own beginning."""
    entry = struct.pack("<HHII", 256, 3, 1, 100)
    return b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 8)


CUT = {
    f"{name} cut at {n}0 %": (data[: len(data) * n // 10], "cannot be read as a photo")
    for name, data in (("jpeg", JPEG), ("png", PNG), ("webp", WEBP), ("tiff", TIFF))
    for n in range(1, 10)
}
BROKEN: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "it is empty"),
    "one byte": (b"\xff", "cannot be read as a photo"),
    "zero bytes": (b"\0" * 4096, "cannot be read as a photo"),
    "text": (b"this is no photo at all", "in none of the formats"),
    "html": (b"<!doctype html><html><body>404</body></html>", "in none of the formats"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "in none of the formats"),
    "pdf": (b"%PDF-1.7\n%abc", "in none of the formats"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "in none of the formats"),
    "zip": (b"PK\x03\x04" + b"\0" * 60, "in none of the formats"),
    "program": (b"\x7fELF" + b"\0" * 60, "in none of the formats"),
    "only a png signature": (PNG[:8], "cannot be read as a photo"),
    "only a jpeg start": (b"\xff\xd8\xff", "cannot be read as a photo"),
    "only an avif box": (AVIF[:24], "cannot be read as a photo"),
    "avif cut in half": (AVIF[: len(AVIF) // 2], "cannot be read as a photo"),
    "heic cut in half": (heic(np.asarray(SCENE))[:700], "cannot be read as a photo"),
    "png with a wrong checksum": (PNG[:60] + bytes([PNG[60] ^ 255]) + PNG[61:], "cannot be read as a photo"),
    "png without pixels": (png(80, 80), "cannot be read as a photo"),
    "png with too few pixels": (png(80, 80, data=b"\0" * 500), "cannot be read as a photo"),
    "png of no width": (png(0, 80), "cannot be read as a photo"),
    "png of no colour type": (png(80, 80, kind=9), "cannot be read as a photo"),
    "decompression bomb": (png(60_000, 60_000), "million pixels; make it smaller"),
    "png that is larger than anything": (png(2**31 - 1, 2**31 - 1), "million pixels; make it smaller"),
    "one pixel": (pillow(Image.new("RGB", (1, 1)), "PNG"), "1x1 pixels; both sides must be at least 64"),
    "one pixel wide": (pillow(Image.new("RGB", (1, 900)), "PNG"), "1x900 pixels; both sides must be at least 64"),
    "63 pixels high": (pillow(Image.new("RGB", (900, 63)), "JPEG"), "900x63 pixels; both sides must be at least 64"),
    "animated gif": (gif(3), "holds 3 frames"),
    "animated webp": (
        pillow(Image.new("RGB", (80, 80)), "WEBP", save_all=True, append_images=[SCENE.resize((80, 80))]),
        "holds 2 frames",
    ),
    "animated png": (
        pillow(Image.new("RGB", (80, 80)), "PNG", save_all=True, append_images=[SCENE.resize((80, 80))]),
        "holds 2 frames",
    ),
    "pages": (pillow(SCENE, "TIFF", save_all=True, append_images=[SCENE]), "holds 2 frames"),
    "endless tiff": (endless_tiff(), "cannot be read as a photo"),
    **CUT,
}


def tags(**fields: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, np.asarray(SCENE), photometric="rgb", **fields)  # type: ignore[arg-type]
    return file.getvalue()


def exif_jpeg(block: bytes) -> bytes:
    return JPEG[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2) + block + JPEG[2:]


ODD: dict[str, bytes] = {
    "wrong extension": JPEG,
    "broken exif": exif_jpeg(b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "exif that points beyond": exif_jpeg(b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x8769, 4, 1, 99999)),
    "exif with rotation 0": exif_jpeg(b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHHHI", 0x112, 3, 1, 0, 0)),
    "exif with rotation 99": exif_jpeg(
        b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHHI", 0x112, 3, 1, 99, 0, 0)
    ),
    "exif of nothing": exif_jpeg(b"Exif\0\0"),
    "broken profile": pillow(SCENE, "PNG", icc_profile=b"no profile"),
    "profile cut off": pillow(SCENE, "JPEG", icc_profile=b"\0\0\x02\x0c" + b"lcms" + b"\0" * 90),
    "broken xmp": pillow(SCENE, "JPEG", xmp=b"<x:xmpmeta"),
    "xmp that grows without end": pillow(
        SCENE, "WEBP", xmp=b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><x:xmpmeta>&c;</x:xmpmeta>'
    ),
    "text that is not text": with_chunk(b"tEXt", b"Description\0\xff\xfe\0"),
    "text bomb": with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 500_000)),
    "1 bit": pillow(SCENE.convert("1"), "PNG"),
    "grey": pillow(SCENE.convert("L"), "JPEG"),
    "palette": pillow(SCENE.quantize(32), "PNG"),
    "palette with transparency": pillow(SCENE.quantize(32), "PNG", transparency=3),
    "a still gif": pillow(SCENE, "GIF"),
    "cmyk": pillow(SCENE.convert("CMYK"), "JPEG"),
    "cmyk with a profile of rgb": pillow(SCENE.convert("CMYK"), "TIFF", icc_profile=b"\0" * 200),
    "32 bits of grey": pillow(SCENE.convert("L").convert("F"), "TIFF"),
    "tiff with odd tags": tags(extratags=[(65000, "s", 0, "x" * 500, True)]),
    "jpeg with rubbish after it": JPEG + os.urandom(500),
    "jpeg in a strange resolution": pillow(SCENE, "JPEG", dpi=(0, 0)),
    "a bitmap": pillow(SCENE, "BMP"),
    "heic": heic(np.asarray(SCENE)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_photo_ends_in_one_line(tmp_path, name):
    data, said = BROKEN[name]
    photo = tmp_path / "photo.png"
    photo.write_bytes(data)
    result = run("move", photo, *MOVE, code=1)
    assert said in error_line(result)
    assert result.stdout == ""
    assert [p.name for p in tmp_path.iterdir()] == ["photo.png"]
    assert photo.read_bytes() == data


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_is_read_and_written(tmp_path, name):
    """Read, written again as it came, and read once more, by the two functions that every command uses."""
    from realedit.files.encoding import encode, suffix_for
    from realedit.files.encoding import format_of as kind_of
    from realedit.files.reading import load_photo

    path = tmp_path / "photo.png"
    path.write_bytes(ODD[name])
    photo = load_photo(path)
    assert photo.size == SCENE.size
    again = tmp_path / f"again{suffix_for(photo)}"
    again.write_bytes(encode(photo, kind_of(again)))
    assert load_photo(again).size == SCENE.size
    assert path.read_bytes() == ODD[name]


def folder_in_place(tmp: Path) -> list[object]:
    (tmp / "photo.png").unlink()
    (tmp / "photo.png").mkdir()
    return []


def weights(tmp: Path, change: Callable[[Path], None]) -> list[object]:
    from inversion.weights import bundled_samples

    shutil.copytree(bundled_samples() / "tabletop", tmp / "model")
    change(tmp / "model" / "unet" / "diffusion_pytorch_model.safetensors")
    return ["--model", tmp / "model"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100_000])


def not_a_number(path: Path) -> None:
    tensors = load_file(path)
    name = next(k for k in tensors if k.startswith("mid_block") and k.endswith("weight"))
    tensors[name] = torch.full_like(tensors[name], float("nan"))
    save_file(tensors, path, {"format": "pt"})


def as_pickle(path: Path) -> None:
    path.rename(path.with_suffix(".bin"))


def for_inpainting(path: Path) -> None:
    config = path.with_name("config.json")
    config.write_text(json.dumps({**json.loads(config.read_text()), "in_channels": 9}))
    tensors = load_file(path)
    first = tensors["conv_in.weight"]
    tensors["conv_in.weight"] = torch.cat([first, first, first[:, :1]], dim=1).contiguous()
    save_file(tensors, path, {"format": "pt"})


def mask(tmp: Path, data: bytes) -> list[object]:
    (tmp / "mask.png").write_bytes(data)
    return ["--mask", tmp / "mask.png"]


SITUATIONS: dict[str, tuple[Callable[[Path], list[object]], int, str]] = {
    "a folder in place of the photo": (folder_in_place, 1, "holds no photos"),
    "the output is a folder": (lambda tmp: [(tmp / "a.png").mkdir(), "-o", tmp / "a.png"][1:], 1, "is a folder"),
    "the output folder is a file": (lambda tmp: ["-o", tmp / "photo.png" / "a.png"], 1, "make it first"),
    "the output has no ending": (lambda tmp: ["-o", tmp / "result"], 1, "end the name in"),
    "the output is a gif": (lambda tmp: ["-o", tmp / "a.gif"], 1, "end the name in"),
    "an output folder that takes no files": (lambda tmp: ["-o", "/proc/a.png"], 1, "cannot write in /proc"),
    "a mask that is no picture": (lambda tmp: mask(tmp, b"rubbish"), 1, "cannot be read as a photo"),
    "a mask of nothing": (lambda tmp: mask(tmp, pillow(Image.new("L", (128, 128)), "PNG")), 2, "nowhere white"),
    "weights cut off": (lambda tmp: weights(tmp, cut), 3, "could not be loaded"),
    "not-a-number in the weights": (lambda tmp: weights(tmp, not_a_number), 3, "not-a-number"),
    "weights missing": (lambda tmp: weights(tmp, Path.unlink), 3, "has no weights of its unet"),
    "weights as a pickle": (lambda tmp: weights(tmp, as_pickle), 3, "can run any program"),
    "a checkpoint file": (lambda tmp: ["--model", tmp / "model.ckpt"], 3, "can run any program"),
    "a model for inpainting": (lambda tmp: weights(tmp, for_inpainting), 3, "9 input channels and not 4, as for"),
    "a device that is not there": (lambda tmp: ["--device", "cuda:7"], 1, 'device "cuda:7" cannot be used here'),
    "a device that is none": (lambda tmp: ["--device", "banana"], 1, 'device "banana" cannot be used here'),
    "a variant that is not there": (lambda tmp: ["--variant", "fp16"], 3, "it has: plain ones"),
    "a hub model, offline": (lambda tmp: ["--offline", "--model", "a/b"], 3, "could not be fetched (--offline)"),
    "a cache size that is none": (lambda tmp: os.environ.__setitem__("REALEDIT_CACHE_SIZE", "x") or [], 1, "such as"),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_bad_situations_end_in_one_line(tmp_path, monkeypatch, name):
    monkeypatch.setenv("REALEDIT_CACHE_SIZE", "1G")  # so that what a row sets is taken back
    shutil.copy(PHOTOS / "03.png", tmp_path / "photo.png")
    prepare, code, said = SITUATIONS[name]
    extra = prepare(tmp_path)
    before = sorted(p.name for p in tmp_path.iterdir())
    result = run("move", tmp_path / "photo.png", *MOVE, *FAST, *extra, code=code)
    assert said in error_line(result)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "cache") == before


def test_the_table_is_long_enough():
    assert len(BROKEN) + len(ODD) + len(SITUATIONS) >= 60


def test_out_of_memory_ends_in_one_line_with_three_ways_out(tmp_path, monkeypatch):
    """The allocator's own error, for more than any machine has."""
    from realedit.commands.context import RunOptions

    shutil.copy(PHOTOS / "03.png", tmp_path / "photo.png")
    monkeypatch.setattr(RunOptions, "model", property(lambda self: torch.empty(2**55)))
    result = run("move", tmp_path / "photo.png", *MOVE, *FAST, code=1)
    said = error_line(result)
    assert said == "realedit: out of memory; try --memory lean, then --dtype bfloat16, then --device cpu"
    assert [p.name for p in tmp_path.iterdir()] == ["photo.png"]
