"""The benchmark of holes: where it puts them, what its fillers get to see, its numbers and its files."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from realedit.evaluation.metrics import PerceptualMetric
from tests.benchmarks import holes
from tests.benchmarks.fillers import FILLERS, patchmatch, telea

HEIGHT, WIDTH = 96, 160
PLAIN = PerceptualMetric("squared difference", lambda a, b: (a - b).square().mean(1, keepdim=True))


def disc(x: int, y: int, radius: int = 12) -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A lawn with a red disc on it, and its mask."""
    pixels = np.random.default_rng(0).normal((60, 120, 50), 25, (HEIGHT, WIDTH, 3)).clip(0, 255).astype(np.uint8)
    mask = disc(36, 48)
    pixels[mask] = (220, 30, 30)
    Image.fromarray(pixels).save(tmp_path / "lawn.jpg", quality=97)
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "lawn-mask.png")
    Image.fromarray(pixels).save(tmp_path / "without-a-mask.jpg")
    return tmp_path


@pytest.fixture
def lawn(folder: Path) -> holes.Hole:
    (case,) = holes.load_holes(folder)
    return case


def test_the_hole_is_the_grown_mask_farthest_from_the_object():
    mask = disc(36, 48)
    hole = holes.place(mask)
    assert hole.sum() == holes.grown(mask).sum()
    rows, columns = np.nonzero(hole)
    # 22 is the grown radius; beside the right corner of the frame, with 10 pixels between. Above and below are equal.
    assert columns.mean() == WIDTH - 1 - 10 - 22
    assert rows.mean() in (10 + 22, HEIGHT - 1 - 10 - 22)


def test_no_hole_meets_the_object_or_the_frame():
    for x, y in ((20, 20), (80, 48), (150, 90)):  # the last is cut off by the frame
        mask = disc(x, y)
        hole = holes.place(mask)
        assert hole.any()
        assert not (hole & holes.grown(mask)).any()
        rows, columns = np.nonzero(hole)
        assert min(rows.min(), columns.min()) >= 10
        assert rows.max() < HEIGHT - 10
        assert columns.max() < WIDTH - 10


def test_a_mask_without_room_beside_it_is_made_smaller():
    mask = disc(50, 48, 30)
    hole = holes.place(mask)
    assert 0 < hole.sum() < holes.grown(mask).sum()
    assert not (hole & holes.grown(mask)).any()


@pytest.mark.parametrize("value", [False, True])
def test_masks_of_nothing_and_of_everything_are_refused(value):
    with pytest.raises(ValueError, match="expected"):
        holes.place(np.full((HEIGHT, WIDTH), value))


def test_fillers_see_nothing_of_the_truth(lawn):
    assert (lawn.photo * lawn.hole == 0).all()
    assert torch.equal(lawn.photo * (1 - lawn.hole), lawn.truth * (1 - lawn.hole))
    assert not (lawn.hole * lawn.others).any()


def test_the_truth_is_right_and_only_the_hole_is_judged(lawn):
    right = holes.judge(lawn, lambda photo, hole, others: lawn.truth, PLAIN)
    assert (right.psnr, right.perceptual) == (np.inf, 0)
    assert 0.7 < right.detail < 1.4
    elsewhere = holes.judge(lawn, lambda photo, hole, others: lawn.truth * hole, PLAIN)
    assert torch.equal(elsewhere.picture, lawn.truth)


def test_numbers_in_the_hole_by_hand(lawn):
    """A tenth lighter everywhere: 20 dB in the hole, whatever lies outside."""
    lighter = holes.judge(lawn, lambda photo, hole, others: lawn.truth + 0.1, PLAIN)
    assert lighter.psnr == pytest.approx(20, abs=1e-3)
    assert lighter.perceptual == pytest.approx(0.01, rel=1e-3)
    row = holes.summary([lighter, holes.judge(lawn, telea, PLAIN)])
    assert list(row) == holes.KEYS
    assert row["detail_right"] == 0.5  # the lighter one; Telea's has none
    assert row["perceptual_mean"] > 0


def test_patches_have_the_lawns_detail_and_nothing_of_the_object(lawn):
    found = holes.judge(lawn, patchmatch, PLAIN)
    smooth = holes.judge(lawn, telea, PLAIN)
    assert smooth.detail < 0.3 < found.detail
    red = (found.picture[:, :1] > 0.7) & (found.picture[:, 1:2] < 0.25)
    assert not (red & (lawn.hole > 0.5)).any()
    assert torch.equal(found.picture, holes.judge(lawn, patchmatch, PLAIN).picture)


@pytest.mark.parametrize("name", list(FILLERS))
def test_every_filler_fills_the_hole_alone(lawn, name):
    made = FILLERS[name](lawn.photo, lawn.hole, lawn.others)
    assert made.shape == lawn.truth.shape
    inside = (lawn.hole > 0.5).expand_as(made)
    means = [float(picture[inside].mean()) for picture in (made, lawn.truth)]
    assert means[0] == pytest.approx(means[1], abs=0.1)  # what was given there is black


def test_the_run_writes_its_json_and_sheet(folder):
    out, sheet = folder / "out.json", folder / "sheet.png"
    args = [str(folder), "--rows", "navier-stokes,telea", "--json", str(out), "--sheet", str(sheet)]
    ran = CliRunner().invoke(holes.main, args, catch_exceptions=False)
    assert ran.exit_code == 0
    written = json.loads(out.read_text())
    assert written["photos"] == 1
    assert list(written["rows"]) == ["navier-stokes", "telea"]
    assert set(written["rows"]["telea"]) == set(holes.KEYS)
    assert sheet.stat().st_size > 5000


def test_unknown_rows_and_empty_folders_are_one_line(folder, tmp_path_factory):
    for args in ([str(folder), "--rows", "telea,magic"], [str(tmp_path_factory.mktemp("empty"))]):
        ran = CliRunner().invoke(holes.main, args)
        assert ran.exit_code == 2
        assert "Error" in ran.output
