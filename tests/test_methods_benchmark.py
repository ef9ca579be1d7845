"""The table of systems: what it counts as right, and what it writes."""

import functools
import json

import pytest
import torch
from PIL import Image

from realedit.evaluation.metrics import PerceptualMetric
from tests.benchmarks.method_tasks import TASKS, Measures
from tests.benchmarks.methods import Kept, as_json, summary, write_sheet

SEED = 1_000_000
DIFFERENCE = PerceptualMetric("difference", lambda one, two: (one - two).abs().mean(1, keepdim=True))


@functools.cache
def case_of(task, seed=SEED):
    (case,) = TASKS[task].cases(seed, 1)
    return case


@pytest.mark.parametrize(
    ("task", "seed"),
    [
        ("fill", SEED),
        ("move", SEED),
        ("drag", SEED),
        ("drag", SEED + 1),
        ("direction", SEED),
        ("direction, no words", SEED),
    ],
)
def test_the_truth_is_right_and_the_photo_is_not(task, seed):
    case = case_of(task, seed)
    right = TASKS[task].measures(case, case.truth, None, DIFFERENCE)
    nothing = TASKS[task].measures(case, case.before, None, DIFFERENCE)
    assert right.success
    assert not nothing.success
    assert right.psnr_region == float("inf")
    assert nothing.psnr_region < 20
    assert nothing.identical


def test_another_thing_in_its_place_is_no_removal():
    case = case_of("fill")
    other = torch.where(case.sources[0] > 0.5, 1 - case.truth, case.truth)
    assert not TASKS["fill"].measures(case, other, None, DIFFERENCE).success


def test_what_was_changed_beside_the_touched_is_told():
    case = case_of("fill")
    changed = case.before.clone()
    changed[..., 0, 0] = 1 - changed[..., 0, 0]
    everywhere = torch.ones_like(case.region)
    assert not TASKS["fill"].measures(case, changed, case.region, DIFFERENCE).identical
    assert TASKS["fill"].measures(case, changed, everywhere, DIFFERENCE).identical


def test_the_table_and_the_sheet(tmp_path):
    case = case_of("fill")
    file = tmp_path / "before.png"
    Image.fromarray((case.before[0].permute(1, 2, 0) * 255).round().byte().numpy()).save(file)
    kept = [
        Kept(file, Measures(True, 20.0, 0.2, float("inf"), 0.0, True), 50, 1.0),
        Kept(file, Measures(False, 30.0, 0.4, float("inf"), 0.0, True), 70, 3.0),
    ]
    assert torch.equal(kept[0].picture, case.before)
    columns = json.loads(as_json({"fill": {"repaint": summary(kept)}}, 2))["tasks"]["fill"]["repaint"]
    wanted = {"success": 0.5, "psnr_region_median": 25.0, "psnr_outside_median": None, "forward_equivalents": 60.0}
    assert wanted.items() <= columns.items()
    assert columns["perceptual_region_median"] == pytest.approx(0.3)
    write_sheet({"fill": ([case, case], {"repaint": kept})}, tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").size == (2 * 144, 16 + 3 * 160)
