"""Photos in and results out on the command line: pipes, folders, many at once, and how files are described."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from inversion.errors import RealEditError
from realedit.cli import main
from realedit.commands.batch import each
from realedit.commands.context import RunOptions
from realedit.commands.gathering import Batch, BatchEntry, with_stems
from realedit.commands.output_options import EditOptions, FileOptions
from realedit.files.earlier import left_by_earlier_run
from realedit.files.encoding import Saving
from realedit.files.reading import decode, load_photo
from realedit.files.writing import save_mask, save_photo, save_sheet
from realedit.files.xmp import DigitalSourceType
from realedit.settings import ModelChoice
from tests.digital_source import source_of
from tests.test_cli import FAST, PHOTOS, ROOT, error_line, run

# What files come to needs no object that the model finds and knows: a marked thing is edited in half the time.
PROMPT = "a thing on a wooden table"
MARKED = ["thing", "--prompt", PROMPT, "--box", "0.3,0.4,0.5,0.7"]
REMOVE = [*MARKED, "--fill", "photo"]  # by copies: a drawing takes ten seconds here
MOVE = [*MARKED, "--by", "0.1,0.05", "--pitch", "10"]
RESTYLE = [*MARKED, "--as", "green thing", "--keep-going"]  # leaves no hole


def small(path: Path, **options: Any) -> None:
    """Save a bundled photo at a size at which edits are cheap, of the kind that the name or the options tell."""
    Image.open(PHOTOS / "03.png").convert("RGB").resize((80, 64)).save(path, **options)


@pytest.fixture
def fast(folders) -> list[str]:
    """Few steps, and a tiny model: what files come to does not depend on what one knows."""
    return [*FAST, "--model", str(folders["epsilon"]), "--offline"]


@pytest.fixture
def tree(tmp_path) -> Path:
    """Three photos in two folders, one of them broken, and a file that is no photo."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    small(folder / "one.jpg", quality=90)
    small(folder / "sub" / "two.png")
    (folder / "sub" / "broken.png").write_bytes((folder / "sub" / "two.png").read_bytes()[:900])
    (folder / "notes.md").write_text("no photo")
    (folder / ".hidden").mkdir()
    small(folder / ".hidden" / "thumb.png")
    return folder


def test_a_folder_keeps_its_tree_and_one_failure_does_not_stop_the_rest(tree, tmp_path, fast):
    out = tmp_path / "out"
    result = run("restyle", tree, *RESTYLE, "--out-dir", out, *fast, code=1)
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()) == [
        "one.jpg",
        "one.jpg.realedit.json",
        "sub/two.png",
        "sub/two.png.realedit.json",
    ]
    said = result.stderr.splitlines()
    assert any(line.startswith("realedit: broken.png: cannot be read as a photo") for line in said)
    assert said[-1] == "realedit: 1 of 3 photos failed, as said above; the others are done"
    again = run("restyle", tree, *RESTYLE, "--out-dir", out, "--skip-existing", *fast, code=1)
    assert again.stderr.count("is there already") == 2
    refused = run("restyle", tree, *RESTYLE, "--out-dir", out, *fast, code=1)
    assert refused.stderr.count("already exists; use --force") == 2


def test_many_photos_print_a_json_line_each(tree, fast):
    result = run("restyle", tree, *RESTYLE, "--json", *fast, code=1)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert ["error" in line for line in lines] == [False, True, False]
    assert lines[0]["report"]["objects"][0]["phrase"] == "thing"
    assert Path(lines[0]["result"]).name == "one-restyled.jpg"
    assert (tree / "sub" / "two-restyled.png").exists()


def test_two_results_of_one_name_are_refused_before_any_work(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        small(tmp_path / folder / "photo.png")
    photos = [tmp_path / "a" / "photo.png", tmp_path / "b" / "photo.png"]
    line = error_line(run("move", *photos, *MOVE, "--out-dir", tmp_path / "out", code=1))
    assert "would both be written as photo.png" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--out-dir", "out", "-o", "x.png"], "give either -o or --out-dir"),
        (["-o", "-", "--json"], "both write to standard output"),
        (["--sign-cert", "cert.pem"], "needs both --sign-cert and --sign-key"),
    ],
)
def test_options_that_contradict_each_other(tmp_path, args, said):
    small(tmp_path / "photo.png")
    assert said in error_line(run("move", tmp_path / "photo.png", *MOVE, *args, code=2))


def test_one_result_for_several_photos_is_asked_wrongly(tree, tmp_path):
    line = error_line(run("move", tree, *MOVE, "-o", tmp_path / "x.png", code=2))
    assert "give --out-dir for several" in line


def stems(*names: str, out_dir: Path | None = None, kind: str | None = None) -> list[str]:
    """The names of the results of photos in one folder."""
    options = EditOptions(out_dir=out_dir, files=FileOptions(format=kind))
    return [entry.stem for entry in with_stems([(Path("in", name), Path(name)) for name in names], options)]


def test_photos_that_differ_by_their_endings_get_two_names():
    assert stems("IMG_1.jpg", "IMG_1.png") == ["IMG_1", "IMG_1"]  # of which the results keep the endings
    assert stems("IMG_1.dng", "IMG_1.jpg", "IMG_2.jpg") == ["IMG_1", "IMG_1", "IMG_2"]  # a TIFF and a JPEG
    assert stems("IMG_1.dng", "IMG_1.tif") == ["IMG_1", "IMG_1-tif"]
    assert stems("IMG_1.JPG", "IMG_1.jpg") == ["IMG_1", "IMG_1-jpg"]  # one file on many disks
    assert stems("IMG_1.jpg", "IMG_1.png", kind="webp") == ["IMG_1", "IMG_1-png"]
    assert stems("IMG_1-png.jpg", "IMG_1.jpg", "IMG_1.png", kind="webp") == ["IMG_1-png", "IMG_1", "IMG_1-png-2"]
    assert stems("a.jpg", "a.png", out_dir=Path("out")) == ["a", "a"]


def left_behind(folder: Path) -> None:
    """What edits leave beside a photo: a result with its sidecar, one with its mark alone, and by-products."""
    photo = load_photo(folder / "photo.png")
    save_photo(photo, folder / "photo-moved.jpg")
    save_photo(photo, folder / "known.png", Saving(mark=None))
    (folder / "known.png.realedit.json").write_text("{")
    save_sheet(Image.fromarray(photo.rgb), folder / "photo-objects.png")
    save_sheet(Image.fromarray(photo.rgb), folder / "before-after.jpg")
    save_mask(photo.rgb[..., 0] > 99, folder / "photo-mask.png")


def test_what_earlier_edits_left_is_no_photo_of_a_folder(tmp_path, fast):
    small(tmp_path / "photo.png")
    drawn = Saving(mark=DigitalSourceType.GENERATED)
    save_photo(load_photo(tmp_path / "photo.png"), tmp_path / "drawn.png", drawn)
    left_behind(tmp_path)
    found = {path.name for path in tmp_path.glob("*.*g") if not left_by_earlier_run(path)}
    assert found == {"photo.png", "drawn.png"}
    (tmp_path / "drawn.png").unlink()
    said = run("remove", tmp_path, *REMOVE, *fast, "--json")
    assert f"5 pictures that earlier edits left in {tmp_path} are passed over" in said.stderr
    (line,) = said.stdout.splitlines()  # in the form of many, though it is one
    assert Path(json.loads(line)["result"]).name == "photo-removed.png"
    (tmp_path / "photo.png").unlink()
    line = error_line(run("remove", tmp_path, *REMOVE, code=1))
    assert "holds no photos, but 6 pictures that earlier edits left" in line
    assert "already exists" in error_line(
        run("remove", tmp_path / "photo-removed.png", *REMOVE, "-o", tmp_path / "known.png", code=1)
    )


def test_a_photo_that_is_still_to_come_is_not_replaced(tmp_path, fast):
    for name in ("a.png", "a-removed.png"):
        small(tmp_path / name)
    before = (tmp_path / "a-removed.png").read_bytes()
    result = run("remove", tmp_path / "a.png", tmp_path / "a-removed.png", *REMOVE, *fast, "--force", code=1)
    assert "a.png: a-removed.png is the input" in result.stderr.replace(f"{tmp_path}/", "")
    assert (tmp_path / "a-removed.png").read_bytes() == before
    assert (tmp_path / "a-removed-removed.png").exists()


def test_any_failure_of_one_photo_leaves_the_others(tmp_path, capsys):
    def work(entry: BatchEntry) -> None:
        if entry.stem == "a":
            raise ValueError("what nobody thought of\nin two lines")
        done.append(entry.stem)

    done: list[str] = []
    batch = Batch(with_stems([(Path(name), Path(name)) for name in ("a.png", "b.png")], EditOptions()), many=True)
    shared = RunOptions(ModelChoice(), None, "ddim", 4, 0, as_json=True)
    with pytest.raises(RealEditError, match="1 of 2 photos failed"):
        each(shared, batch, work)
    assert done == ["b"]
    out, err = capsys.readouterr()
    assert json.loads(out) == {"photo": "a.png", "error": "ValueError: what nobody thought of"}
    assert err == "realedit: a.png: ValueError: what nobody thought of\n"


def test_work_pictures_obey_force_and_never_hit_an_input(tmp_path):
    """All that there may be are known before there is any."""
    work = tmp_path / "work"
    work.mkdir()
    small(work / "plate.png")
    small(tmp_path / "mask.png")
    os.link(tmp_path / "mask.png", work / "object.png")
    args = ["remove", work / "plate.png", *REMOVE, "--work", work, "-o", tmp_path / "a.png"]
    before = {path: path.read_bytes() for path in work.iterdir()}
    assert "already exists" in error_line(run(*args, code=1))
    assert "object.png is the input" in error_line(
        run("remove", PHOTOS / "03.png", "egg", "--mask", tmp_path / "mask.png", *args[-4:], "--force", code=1)
    )
    assert "plate.png is the input" in error_line(run(*args, "--force", code=1))
    assert {path: path.read_bytes() for path in work.iterdir()} == before
    twice = ["remove", PHOTOS / "03.png", *REMOVE, "-o", tmp_path / "b.png", "--before-after", tmp_path / "B.png"]
    assert "would both be written" in error_line(run(*twice, "--work", tmp_path / "new", "--force", code=1))
    assert not (tmp_path / "new").exists()


def test_an_empty_folder_and_an_unquoted_object(tmp_path, fast):
    (tmp_path / "empty").mkdir()
    assert "holds no photos" in error_line(run("move", tmp_path / "empty", *MOVE, code=1))
    small(tmp_path / "photo.png")
    line = error_line(run("move", tmp_path / "photo.png", "some", *MOVE, *fast, code=2))
    assert 'in quotes, such as "some thing"' in line
    assert not (tmp_path / "photo-moved.png").exists()


def test_through_a_pipe(tmp_path, monkeypatch, capfdbinary, fast):
    small(tmp_path / "photo.png")
    data = (tmp_path / "photo.png").read_bytes()
    result = CliRunner().invoke(main, ["restyle", "-", *RESTYLE, *fast], input=data)
    assert result.exit_code == 0, result.output
    photo = decode(result.stdout_bytes, "result")
    assert photo.origin.format == "PNG"
    assert photo.rgb.shape == (64, 80, 3)
    assert (photo.rgb != decode(data, "photo").rgb).any()
    assert "object" in result.stderr
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    main(["restyle", "-", *RESTYLE, *fast, "-q"], standalone_mode=False)
    quiet = capfdbinary.readouterr()  # all that any library wrote too
    assert quiet.out == result.stdout_bytes
    assert quiet.err == b""
    jpeg = CliRunner().invoke(main, ["restyle", "-", *RESTYLE, *fast, "-q", "--format", "jpg"], input=data)
    assert decode(jpeg.stdout_bytes, "result").origin.format == "JPEG"


def test_a_closed_pipe_and_bad_input_from_one(tmp_path, fast):
    result = CliRunner().invoke(main, ["restyle", "-", *RESTYLE, *fast], input=b"no photo")
    assert result.exit_code == 1
    assert result.stdout_bytes == b""
    assert error_line(result).startswith("realedit: standard input cannot be read as a photo")
    assert "it is empty" in error_line(CliRunner().invoke(main, ["restyle", "-", *RESTYLE], input=b""))
    twice = CliRunner().invoke(main, ["restyle", "-", "-", *RESTYLE], input=b"")
    assert "name - once" in error_line(twice)


def described(tmp_path: Path) -> Path:
    """A JPEG with camera data, a place, and a profile, and a name that is wrong."""
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8825)[1] = "N"
    path = tmp_path / "photo.png"
    small(path, format="JPEG", exif=exif, quality=85, dpi=(300, 300))
    return path


def test_the_file_comes_back_as_it_went_in(tmp_path, fast):
    path = described(tmp_path)
    run("restyle", path, *RESTYLE, *fast)
    result = Image.open(tmp_path / "photo-restyled.jpg")  # named for what it is
    source = Image.open(path)
    assert result.quantization == source.quantization
    assert result.info["dpi"] == source.info["dpi"]
    assert result.getexif()[0x010F] == "Maker"
    assert result.getexif().get_ifd(0x8825)[1] == "N"
    assert source_of(load_photo(tmp_path / "photo-restyled.jpg").metadata.xmp) == DigitalSourceType.EDITED.address


def test_place_and_mark_are_left_out_if_asked(tmp_path, fast):
    path = described(tmp_path)
    run("restyle", path, *RESTYLE, *fast, "--strip-gps", "--no-mark", "-o", tmp_path / "a.jpg")
    assert not Image.open(tmp_path / "a.jpg").getexif().get_ifd(0x8825)
    assert source_of(load_photo(tmp_path / "a.jpg").metadata.xmp) is None


def test_drawn_pictures_are_marked_as_such(tmp_path):
    out = tmp_path / "drawn.jpg"
    run("generate", "--prompt", "a red ball on a grey table", "-o", out, "--steps", "3")
    photo = load_photo(out)
    assert source_of(photo.metadata.xmp) == DigitalSourceType.GENERATED.address
    assert photo.description == "a red ball on a grey table"


def test_what_a_format_cannot_hold_is_said(tmp_path, fast):
    import cv2

    small(tmp_path / "photo.png")
    deep = np.asarray(Image.open(tmp_path / "photo.png")).astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "photo.tif"), deep[..., ::-1])
    kept = run("restyle", tmp_path / "photo.tif", *RESTYLE, *fast)
    assert "8 bits" not in kept.stderr
    assert load_photo(tmp_path / "photo-restyled.tif").rgb.dtype == np.uint16
    lost = run("restyle", tmp_path / "photo.tif", *RESTYLE, *fast, "-o", tmp_path / "a.jpg")
    assert "JPEG holds 8 bits per channel, the photo has 16" in lost.stderr


@pytest.mark.slow
def test_whole_pictures_in_many(tree, tmp_path):
    out = tmp_path / "out"
    args = ["transfer", tree / "one.jpg", tree / "sub" / "two.png", "--whole", "--from", PHOTOS / "01.png"]
    run(*args, "--prompt", PROMPT, "--out-dir", out, *FAST)
    assert sorted(p.name for p in out.iterdir() if p.suffix != ".json") == ["one.jpg", "two.png"]


@pytest.mark.slow
def test_two_processes_edit_the_same_photo_with_one_cache(tmp_path):
    small(tmp_path / "photo.png")
    env = {**os.environ, "REALEDIT_CACHE": str(tmp_path / "shared-cache"), "OMP_NUM_THREADS": "1"}
    base = [sys.executable, "-m", "realedit.cli", "move", str(tmp_path / "photo.png"), *MOVE, *FAST, "-o"]
    running = [
        subprocess.Popen([*base, str(tmp_path / f"{k}.png")], env=env, cwd=ROOT, stderr=subprocess.PIPE)
        for k in range(2)
    ]
    assert [p.wait(timeout=200) for p in running] == [0, 0]
    one, two = (load_photo(tmp_path / f"{k}.png").rgb for k in range(2))
    assert np.array_equal(one, two)
    assert not list((tmp_path / "shared-cache").glob("*.part"))
