"""Dragging: points are tracked by the features around them, what may not change stays, and what is refused."""

import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from inversion.errors import EditError
from inversion.taps import Tape
from realedit.cli import main
from realedit.engines import Drag
from realedit.geometry.crop import Crop
from realedit.methods.drag import (
    MotionSupervision,
    drag,
    late_self_attention,
    neighbours,
    read_at,
    tracked,
    way_of,
)
from realedit.methods.sampler_run import Task
from realedit.methods.systems import SYSTEMS
from realedit.sampling.session import Session
from realedit.settings import Settings
from tests.conftest import PROMPT

HEIGHT, WIDTH, STEPS = 24, 40, 4


def features_with_a_peak(x: int, y: int, height: int = 12, width: int = 20) -> torch.Tensor:
    """(1, 2, h, w): one channel falls with the distance from a point, the other is noise that stays."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    peak = torch.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8.0)
    return torch.stack((peak, torch.zeros_like(peak)))[None]


def task_of(model, free=None, crop=None) -> Task:
    image = torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    session = Session(model, Settings(steps=STEPS, seed=3, method="ddim"))
    everywhere = torch.ones(1, 1, HEIGHT, WIDTH)
    return Task(session, image, PROMPT, PROMPT, everywhere if free is None else free, crop)


def points(*pairs):
    return Drag(points=[{"from": start, "to": end} for start, end in pairs], rounds=6, rate=0.05)


def test_features_are_read_between_pixels_and_at_the_edge_beside_the_frame():
    ramp = torch.arange(20.0).view(1, 1, 1, 20).expand(1, 1, 12, 20)
    read = read_at(ramp, torch.tensor([[[3.0, 5.0], [3.5, 5.0], [-4.0, 5.0], [30.0, 5.0]]]))
    torch.testing.assert_close(read, torch.tensor([[[3.0], [3.5], [0.0], [19.0]]]))


def test_a_point_is_found_again_where_its_features_went():
    first = read_at(features_with_a_peak(8, 5), torch.tensor([[[8.0, 5.0]]]))
    found = tracked(features_with_a_peak(10, 4), first, torch.tensor([[8.0, 5.0]]))
    assert found.tolist() == [[10.0, 4.0]]
    assert len(neighbours(3)) == 49


def test_what_is_asked_is_a_pixel_of_the_way_and_nothing_when_all_have_arrived():
    rule = MotionSupervision("f", (12, 20), torch.tensor([[8.0, 5.0]]), torch.tensor([[12.0, 5.0]]))
    tape = Tape(features={"f": features_with_a_peak(8, 5)})
    value = rule.evaluate(tape, 0, 4)
    around = torch.tensor([[8.0, 5.0]])[:, None] + neighbours(1)
    f = tape.features["f"]
    wanted = (read_at(f, around + torch.tensor([1.0, 0.0])) - read_at(f, around)).abs().mean(-1).sum()
    assert float(value) == pytest.approx(float(wanted))
    tape.features["f"] = features_with_a_peak(10, 5)
    assert rule.evaluate(tape, 0, 4) is not None
    assert rule.points.tolist() == [[10.0, 5.0]]
    tape.features["f"] = features_with_a_peak(12, 5)
    assert rule.evaluate(tape, 0, 4) is None


def test_what_may_not_change_is_the_photo_and_the_rest_is_dragged(model):
    free = torch.zeros(1, 1, HEIGHT, WIDTH)
    free[..., WIDTH // 2 :] = 1
    task = task_of(model, free)
    with model.metered() as meter:
        found = drag(task, points(((0.6, 0.5), (0.9, 0.5)))).latent(task.session)
    half = found.shape[-1] // 2
    assert torch.equal(found[..., :half], task.pivots[-1:, ..., :half])
    assert not torch.equal(found[..., half:], task.pivots[-1:, ..., half:])
    inverting, kept, drawn, dragged = STEPS, 3, 3, meter.forward_equivalents
    assert dragged > inverting + kept + drawn  # and rounds with gradient


def test_a_point_that_is_there_already_changes_nothing_but_rounding(model):
    task = task_of(model)
    near = drag(task, points(((0.5, 0.5), (0.5, 0.5)))).latent(task.session)
    torch.testing.assert_close(near, task.pivots[-1:], atol=1e-4, rtol=1e-4)


def test_points_are_those_of_the_photo_also_in_a_part_of_it(model):
    part = Crop((80, 48), (40, 24, 80, 48))
    task = task_of(model, crop=part)
    callback = drag(task, points(((0.75, 0.75), (0.875, 0.75)))).callbacks[2]
    assert callback.supervision.points.tolist() == [[9.5, 5.5]]  # the middle of 20 by 12
    assert callback.supervision.targets.tolist() == [[14.5, 5.5]]
    with pytest.raises(EditError, match=r"the point 0\.2,0\.75 lies where nothing may change"):
        drag(task, points(((0.2, 0.75), (0.8, 0.75))))


def test_an_object_may_change_where_it_is_and_all_along_its_ways():
    mask = torch.zeros(1, 1, 40, 80)
    mask[..., 10:14, 20:23] = 1
    right = torch.zeros_like(mask)
    right[..., 10:14, 20:63] = 1  # by half of the width
    assert torch.equal(way_of(points(((0.3, 0.3), (0.8, 0.3))), mask, 0), right)
    up = torch.zeros_like(mask)
    up[..., 0:14, 20:23] = 1  # out of the frame
    both = points(((0.3, 0.3), (0.8, 0.3)), ((0.3, 0.3), (0.3, 0.0)))
    assert torch.equal(way_of(both, mask, 0), torch.maximum(right, up))
    slanting = way_of(points(((0.3, 0.3), (0.5, 0.7))), mask, 0)
    assert slanting[..., 26:30, 36:39].min() == 1
    assert slanting[..., 18:22, 28:31].min() == 1
    assert slanting.sum() < 17 * (4 + 3 + 2)
    stays = way_of(points(((0.3, 0.3), (0.3, 0.3))), mask, 0.05)
    assert stays.sum() == 4 * 3 + 2 * (4 + 3) * 2 + 4  # two pixels around, one at corners


def test_the_late_layers_are_the_papers(model):
    names = late_self_attention(model.unet)
    assert names
    assert not any(name.startswith("up_blocks.0.") for name in names)
    assert {name.rsplit(".", 1)[1] for name in names} == {"to_k", "to_v"}


def test_bad_points_are_told_in_one_line(model, tmp_path):
    engine = points(((0.5, 0.5), (1.2, 0.5)))
    with pytest.raises(EditError, match=r"the point 1\.2,0\.5 lies outside the photo"):
        SYSTEMS[Drag].check(task_of(model).session, (PROMPT, PROMPT), engine)
    photo = tmp_path / "photo.png"
    Image.new("RGB", (96, 64), "grey").save(photo)
    two = CliRunner().invoke(main, ["drag", str(photo), "--from", "0.1,0.1", "--from", "0.2,0.2", "--to", "0.3,0.3"])
    assert two.exit_code == 2
    assert "give as many --to as --from" in two.stderr
