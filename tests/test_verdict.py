"""The judge: what is seen in a result, told without the model that made it. Pictures are not square."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch import Tensor

from realedit.evaluation.arrival import arrival, frame_contact, needless_change
from realedit.evaluation.judge import JudgedEdit, JudgedObject, judge
from realedit.evaluation.new_look import new_look
from realedit.evaluation.old_place import old_place
from realedit.evaluation.outline import outline
from realedit.evaluation.verdict import Finding, Level, Limits, Verdict
from realedit.images import to_bytes
from tests.benchmarks import verdicts

COCO = Path(__file__).parent.parent.parent / "shared" / "photos" / "coco"

HEIGHT, WIDTH = 200, 280
NOTHING = torch.zeros(1, 1, HEIGHT, WIDTH)


def gravel(seed: int = 0, contrast: float = 0.12) -> Tensor:
    """A photo (1, 3, H, W) of something like gravel: noise of several widths, the same everywhere."""
    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.standard_normal((HEIGHT, WIDTH)), (0, 0), s) * s for s in (0.7, 1.5, 3.0)]
    grey = 0.5 + contrast * sum(layers)
    return torch.from_numpy(np.dstack([grey, 0.95 * grey, 0.8 * grey])).float().permute(2, 0, 1)[None].clamp(0, 1)


def disc(x: float, y: float, radius: float) -> Tensor:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return torch.from_numpy((columns - x) ** 2 + (rows - y) ** 2 <= radius**2).float()[None, None]


def painted(photo: Tensor, mask: Tensor, colour: tuple[float, float, float]) -> Tensor:
    return photo * (1 - mask) + mask * torch.tensor(colour).reshape(1, 3, 1, 1)


def ball(photo: Tensor, mask: Tensor) -> Tensor:
    """An orange ball with relief and a grey band across."""
    rows = torch.arange(HEIGHT).reshape(1, 1, -1, 1)
    middle = (mask[0, 0].nonzero()[:, 0]).float().mean()
    relief = 0.7 + 0.6 * gravel(9)[:, :1]
    orange = painted(photo, mask, (0.9, 0.45, 0.05)) * (1 - mask) + mask * relief * torch.tensor(
        (0.9, 0.45, 0.05)
    ).reshape(1, 3, 1, 1)
    band = mask * ((rows - middle).abs() < 4)
    return painted(orange, band, (0.45, 0.45, 0.45)).clamp(0, 1)


def removal(before: Tensor, after: Tensor, mask: Tensor) -> JudgedEdit:
    return JudgedEdit(before, after, mask, [JudgedObject("ball", mask)])


HOLE = disc(120, 90, 28)
PHOTO = ball(gravel(), HOLE)
FILLED = PHOTO * (1 - HOLE) + gravel(5) * HOLE


def test_a_properly_filled_place_is_good():
    verdict = judge(removal(PHOTO, FILLED, HOLE))
    assert verdict.level is Level.GOOD
    assert verdict.to_text() == "good"
    assert verdict.measures["detail"] == pytest.approx(1, abs=0.15)
    assert verdict.measures["smooth"] < 0.02


def test_a_flat_disc_in_gravel_has_failed():
    flat = painted(PHOTO, HOLE, (0.5, 0.475, 0.4))
    verdict = judge(removal(PHOTO, flat, HOLE))
    assert verdict.level is Level.FAILED
    assert verdict.to_text().startswith("failed: the old place is smoother than what is around it (detail 0.")
    assert verdict.measures["detail"] < 0.4
    assert verdict.measures["smooth"] > 0.8


def test_a_blurred_fill_is_worth_a_look():
    blurred = torch.from_numpy(cv2.GaussianBlur(gravel(5)[0].permute(1, 2, 0).numpy(), (0, 0), 0.75))
    verdict = judge(removal(PHOTO, PHOTO * (1 - HOLE) + HOLE * blurred.permute(2, 0, 1)[None], HOLE))
    assert verdict.level is Level.LOOK
    assert 0.5 < verdict.measures["detail"] < 0.67


def test_a_flat_fill_of_a_plain_sky_is_good():
    down = torch.linspace(0.7, 0.8, HEIGHT).reshape(1, 1, -1, 1)
    sky = (down * torch.tensor([0.7, 0.8, 1.0]).reshape(1, 3, 1, 1)).expand(1, 3, HEIGHT, WIDTH)
    noisy = (sky + 0.002 * torch.randn(sky.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    assert judge(removal(ball(noisy, HOLE), noisy * (1 - HOLE) + sky * HOLE, HOLE)).level is Level.GOOD


def test_a_stain_with_all_its_texture_has_failed():
    stained = PHOTO * (1 - HOLE) + HOLE * gravel(5) * torch.tensor([0.6, 0.6, 0.9]).reshape(1, 3, 1, 1)
    verdict = judge(removal(PHOTO, stained, HOLE))
    assert verdict.level is Level.FAILED
    assert "other colours than what is around it" in verdict.to_text()
    assert verdict.measures["detail"] > 0.67


def sky_over_gravel(slope: float) -> Tensor:
    """Sky above gravel, along a line through the middle of the hole."""
    rows, columns = torch.arange(HEIGHT).reshape(1, 1, -1, 1), torch.arange(WIDTH).reshape(1, 1, 1, -1)
    return painted(gravel(), (rows < 90 + slope * (columns - 120)).float(), (0.5, 0.7, 1.0))


def test_where_several_things_meet_the_fill_is_a_guess():
    """Even the truth is worth a look then, and no more; but a horizon ends at both sides of the hole."""
    steep, level = sky_over_gravel(1.0), sky_over_gravel(0.0)
    verdict = judge(removal(ball(steep, HOLE), steep, HOLE))
    assert verdict.level is Level.LOOK
    assert "several things meet at the old place" in verdict.to_text()
    assert judge(removal(ball(level, HOLE), level, HOLE)).measures["mixed"] == 0
    turned = [picture.transpose(2, 3) for picture in (level, HOLE, NOTHING)]
    found = old_place(*turned)
    assert found is not None
    assert found.mixed == 0


def test_an_object_beside_is_not_held_against_the_old_place():
    """Part of the hole's surroundings is covered by a flat object that was set down there."""
    beside = disc(152, 116, 28)
    filled = painted(gravel(5), beside, (0.1, 0.1, 0.9))
    found, blind = (old_place(filled, HOLE * (1 - beside), other) for other in (beside, NOTHING))
    assert found is not None
    assert blind is not None
    assert found.mixed < 0.02
    assert blind.mixed > 0.2
    assert found.detail == pytest.approx(1, abs=0.15)


def test_too_little_to_judge_is_no_finding():
    everything = torch.ones(1, 1, HEIGHT, WIDTH)
    assert old_place(gravel(), NOTHING, NOTHING) is None
    assert old_place(gravel(), disc(50, 50, 2), NOTHING) is None
    assert old_place(gravel(), everything, NOTHING) is None


def test_large_photos_are_seen_at_their_own_size_around_the_place():
    """Fine grain that is gone when the whole photo is shrunk is missed in the hole all the same."""
    noise = torch.rand(1, 3, 900, 1500, generator=torch.Generator().manual_seed(0)) * 0.2 + 0.4
    hole = torch.zeros(1, 1, 900, 1500)
    hole[..., 300:400, 500:620] = 1
    found = old_place(noise * (1 - hole) + 0.5 * hole, hole, torch.zeros_like(hole))
    assert found is not None
    assert found.smooth > 0.95


def moved(share: float = 1.0) -> JudgedEdit:
    """The ball moved to the right, of which the left `share` arrives."""
    target = disc(215, 90, 28)
    pixels = torch.roll(PHOTO, 95, 3)
    columns = (torch.arange(WIDTH) < 187 + 56 * share).float().reshape(1, 1, 1, -1)
    after = FILLED * (1 - target * columns) + pixels * target * columns
    return JudgedEdit(PHOTO, after, HOLE, [JudgedObject("ball", HOLE, [(pixels, target)])])


def test_an_object_that_arrived_whole_is_good():
    verdict = judge(moved())
    assert verdict.level is Level.GOOD
    assert verdict.measures["ball: arrived"] == 1.0
    assert verdict.measures["ball: cut"] == 0.0


def test_half_an_object_has_failed():
    verdict = judge(moved(share=0.5))
    assert verdict.level is Level.FAILED
    assert verdict.reasons[0].startswith('"ball" did not arrive whole (only ')
    assert verdict.measures["ball: arrived"] == pytest.approx(0.5, abs=0.06)


def test_soft_edges_are_not_taken_for_missing_pixels():
    """Where an object is mixed with what is behind it, its pixels are not its own."""
    target = disc(215, 90, 28)
    soft = torch.from_numpy(cv2.GaussianBlur(target[0, 0].numpy(), (0, 0), 2.0))[None, None]
    pixels = torch.roll(PHOTO, 95, 3)
    assert arrival(gravel(5) * (1 - soft) + pixels * soft, pixels, soft).arrived > 0.98


def test_an_object_beyond_the_frame_is_cut():
    at_edge = disc(WIDTH - 1, 90, 28)
    pixels = torch.roll(PHOTO, WIDTH - 1 - 120, 3)
    after = FILLED * (1 - at_edge) + pixels * at_edge
    verdict = judge(JudgedEdit(PHOTO, after, HOLE, [JudgedObject("ball", HOLE, [(pixels, at_edge)])]))
    assert verdict.level is Level.FAILED
    assert 'the frame cuts "ball" off' in verdict.to_text()
    assert frame_contact(at_edge) == pytest.approx(57 / math.sqrt(float(at_edge.sum())))


def test_what_the_frame_cut_before_is_not_held_against_the_edit():
    mask = disc(120, 0, 28)
    photo, target = ball(gravel(), mask), torch.roll(mask, 80, 3)
    after = (photo * (1 - mask) + gravel(5) * mask) * (1 - target) + torch.roll(photo, 80, 3) * target
    verdict = judge(JudgedEdit(photo, after, mask, [JudgedObject("ball", mask, [(torch.roll(photo, 80, 3), target)])]))
    assert verdict.level is Level.GOOD


def test_half_the_frame_crumpled_has_failed():
    edit = moved()
    right = (torch.arange(WIDTH) > 150).float().reshape(1, 1, 1, -1) * (1 - disc(215, 90, 45))
    crumpled = edit.after * (1 - right) + torch.flip(edit.after, (2,)) * right * 0.8
    verdict = judge(JudgedEdit(edit.before, crumpled, edit.vacated, edit.objects))
    assert verdict.level is Level.FAILED
    assert "more of the photo changed than the edit needs" in verdict.to_text()


def test_shadows_near_the_object_are_needed():
    shade = disc(120, 125, 15) * (1 - HOLE)
    assert needless_change(PHOTO, PHOTO * (1 - 0.5 * shade), [HOLE]) == 0
    far = disc(240, 30, 15)
    share = float(far.mean())
    assert needless_change(PHOTO, PHOTO * (1 - 0.7 * far), [HOLE]) == pytest.approx(share, rel=0.2)


def restyled(after: Tensor, mask: Tensor = HOLE, before: Tensor = PHOTO) -> Verdict:
    return judge(JudgedEdit(before, after, NOTHING, [JudgedObject("ball", mask, restyled=True)]))


def recoloured(mask: Tensor, order: tuple[int, int, int] = (2, 1, 0)) -> Tensor:
    return PHOTO * (1 - mask) + PHOTO[:, list(order)] * mask


def test_a_new_colour_that_keeps_the_grey_is_good():
    verdict = restyled(recoloured(HOLE))
    assert verdict.level is Level.GOOD
    assert verdict.measures["ball: dyed"] == 0.0
    assert verdict.measures["ball: changed"] > 0.7


def test_an_unchanged_restyle_has_failed():
    verdict = restyled(PHOTO)
    assert verdict.level is Level.FAILED
    assert verdict.reasons == ('"ball" hardly changed (visibly on 0% of it)',)


def test_a_new_look_on_a_box_has_failed():
    box = torch.zeros_like(HOLE)
    box[..., 20:90, 200:270] = 1
    verdict = restyled(painted(PHOTO, box, (0.1, 0.1, 0.9)), box)
    assert verdict.level is Level.FAILED
    assert verdict.reasons[0].startswith('what was selected as "ball" is a box, not an object')


def test_a_new_look_that_spills_has_failed():
    verdict = restyled(painted(recoloured(HOLE), disc(120, 90, 45) * (1 - HOLE), (0.1, 0.1, 0.9)))
    assert verdict.level is Level.FAILED
    assert 'more than "ball" changed' in verdict.to_text()
    assert verdict.measures["ball: spilled"] > 1


@pytest.mark.parametrize(("coloured_rows", "flagged"), [(20, False), (60, True)])
def test_a_thing_without_a_colour_of_its_own_may_be_dyed(coloured_rows, flagged):
    """A grey thing with a red band of a fifth, and one that is mostly red with grey parts."""
    mask = torch.zeros(1, 1, 160, 160)
    mask[..., 30:130, 40:120] = 1
    before = torch.full((1, 3, 160, 160), 0.6)
    before[..., 30 : 30 + coloured_rows, 40:120] = torch.tensor((0.8, 0.1, 0.1))[:, None, None]
    after = torch.where(mask > 0.5, torch.tensor((0.1, 0.3, 0.8))[None, :, None, None], before)
    dyed = new_look(before, after, mask).dyed
    assert dyed == (pytest.approx(0.4, abs=0.05) if flagged else 0)


def test_dyed_grey_is_seen():
    dyed = painted(PHOTO, HOLE, (0.1, 0.7, 0.3))
    found, kept = new_look(PHOTO, dyed, HOLE), new_look(PHOTO, recoloured(HOLE), HOLE)
    band = float((HOLE * (PHOTO[:, :1] == PHOTO[:, 2:])).sum() / HOLE.sum())
    assert found.dyed == pytest.approx(band, abs=0.03)
    assert kept.dyed == 0
    white = painted(PHOTO, HOLE, (0.9, 0.9, 0.9))
    assert new_look(white, dyed, HOLE).dyed == 0  # nothing but grey: to be dyed is what was asked
    assert found.colours_left < 0.1 < 0.5 < kept.colours_left


def test_an_outline_that_follows_edges_is_an_object():
    assert outline(PHOTO, HOLE).edged > 0.95
    assert outline(PHOTO, HOLE).boxed == float(HOLE.sum()) / 57**2
    assert outline(gravel(0, 0.02), HOLE).edged < 0.1
    half = HOLE * (torch.arange(WIDTH) < 120).float()
    assert 0.5 < outline(PHOTO, half).edged < 0.75  # the straight cut goes through the ball
    assert math.isnan(outline(PHOTO, torch.ones_like(HOLE)).edged)
    assert outline(PHOTO, torch.ones_like(HOLE)).boxed == 1


def test_a_patch_of_the_wall_is_no_object():
    wall, target = gravel(0, 0.02), disc(215, 90, 28)
    moved_patch = JudgedObject("cat", HOLE, [(torch.roll(wall, 95, 3), target)])
    verdict = judge(JudgedEdit(wall, wall * (1 - target) + torch.roll(wall, 95, 3) * target, HOLE, [moved_patch]))
    assert verdict.level is Level.FAILED
    assert "may be more or less than the object" in verdict.to_text()
    box = torch.zeros_like(HOLE)
    box[..., 40:140, 60:180] = 1
    assert judge(removal(ball(wall, HOLE), wall, box)).level is Level.GOOD  # to remove it, a roomy box is as good


def test_an_object_of_another_photo_is_looked_at_there():
    """Its mask has that photo's size, and is no part of what may change in this one."""
    other = torch.nn.functional.pad(PHOTO, (0, 40, 0, 30))
    mask = torch.nn.functional.pad(HOLE, (0, 40, 0, 30))
    target, pixels = disc(215, 90, 28), torch.roll(PHOTO, 95, 3)
    after = gravel(5) * (1 - target) + pixels * target
    thing = JudgedObject("ball", mask, [(pixels, target)], photo=other)
    verdict = judge(JudgedEdit(gravel(5), after, NOTHING, [thing]))
    assert verdict.level is Level.GOOD
    assert verdict.measures["ball: edged"] > 0.95
    spoilt = judge(JudgedEdit(gravel(5), painted(after, disc(60, 90, 28), (0.9, 0, 0)), NOTHING, [thing]))
    assert spoilt.level is Level.FAILED


def test_the_worst_finding_decides_and_comes_first():
    look, failed = Finding(Level.LOOK, "this", {"a": 1.0}), Finding(Level.FAILED, "that", {"b": 2.0})
    verdict = Verdict.of([look, Finding(Level.GOOD, "nothing", {"c": 3.0}), failed])
    assert verdict == Verdict(Level.FAILED, ("that", "this"), {"a": 1.0, "c": 3.0, "b": 2.0})
    assert verdict.to_text() == "failed: that; this"
    assert Verdict.of([]) == Verdict(Level.GOOD, (), {})


def test_limits_go_up_or_down():
    up, down = Limits(look=1, failed=2), Limits(look=0.5, failed=0.2)
    assert [up.level(v) for v in (0.9, 1, 2)] == [Level.GOOD, Level.LOOK, Level.FAILED]
    assert [down.level(v) for v in (0.6, 0.5, 0.2)] == [Level.GOOD, Level.LOOK, Level.FAILED]
    assert up.level(math.nan) is down.level(math.nan) is Level.GOOD


def test_real_photos_are_judged_as_they_are_seen():
    """A hydrant on dry grass leaves a beige stain; a cloudy sky behind a plane is right even if it is smooth."""
    if not COCO.is_dir():
        pytest.skip("no real photos here")
    for name, level in (("417250", Level.FAILED), ("159265", Level.GOOD)):
        photo = verdicts.read_picture(COCO / f"{name}.jpg", "RGB")
        mask = (verdicts.read_picture(COCO / f"{name}-mask.png", "L") > 0.5).float()
        hole = torch.nn.functional.max_pool2d(mask, 17, 1, 8)
        pixels = np.ascontiguousarray(to_bytes(photo))
        filled = cv2.inpaint(pixels, hole[0, 0].numpy().astype(np.uint8), 5, cv2.INPAINT_TELEA)
        after = torch.from_numpy(filled).permute(2, 0, 1)[None].float() / 255
        assert judge(JudgedEdit(photo, after, hole, [JudgedObject("object", mask)])).level is level, name


def test_the_benchmark_counts_scores_against_verdicts(tmp_path):
    flat = painted(PHOTO, HOLE, (0.5, 0.475, 0.4))
    for name, picture in (("photo", PHOTO), ("filled", FILLED), ("flat", flat), ("mask", HOLE.expand(-1, 3, -1, -1))):
        Image.fromarray(to_bytes(picture)).save(tmp_path / f"{name}.png")
    ball = {"phrase": "ball", "mask": "mask.png", "photo": None, "restyled": False, "copies": []}
    same = {"before": "photo.png", "vacated": "mask.png", "objects": [ball], "group": "balls"}
    scores = [
        {"name": f"{after}/{score}", "score": score, "after": f"{after}.png"} | same
        for after, score in (("filled", "right"), ("flat", "wrong"), ("filled", "wrong"))
    ]
    (tmp_path / "scores.json").write_text(json.dumps(scores))
    done = CliRunner().invoke(verdicts.main, [str(tmp_path), "--json", str(tmp_path / "found.json")])
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "found.json").read_text())
    nothing = {"good": 0, "look at it": 0, "failed": 0}
    assert found["confusion"] == {
        "right": nothing | {"good": 1},
        "usable": nothing,
        "wrong": {"good": 1, "look at it": 0, "failed": 1},
    }
    assert [each["level"] for each in found["results"]] == ["good", "failed", "good"]
    assert found["results"][1]["measures"]["detail"] < 0.4
