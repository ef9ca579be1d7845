"""The benchmarks themselves: cases that ask for what their truth shows, a judge that cannot be pleased
by a wrong edit, statistics by hand, and a small run of the whole contest."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inversion.errors import EditError, RecognitionError
from inversion.taps import Tape
from realedit.evaluation.metrics import PerceptualMetric
from realedit.morphology import dilate
from realedit.settings import Mode, Settings
from samples.scenes import FIRST_HELD_OUT_SEED
from tests.benchmarks import ablation, edits, inversion, real_photos, relocation, rows
from tests.benchmarks.cases import LEAST_SHIFT, Case, cases, ranged_cases
from tests.benchmarks.edit_cases import EditCase, edit_cases
from tests.benchmarks.edit_judge import judge_edit
from tests.benchmarks.judge import judge
from tests.benchmarks.statistics import median, paired_difference, share
from tests.benchmarks.textbook import PublishedRule

OBJMOVE = Path(__file__).parent.parent.parent / "shared" / "photos" / "objmove"
# So few steps that a composite may fail, after which the model would make the edit alone.
FEW = Settings(steps=3, mode=Mode.COMPOSITE)
PLAIN = PerceptualMetric("squared difference", lambda a, b: (a - b).square().mean(1, keepdim=True))


@pytest.fixture(scope="module")
def some() -> list[Case]:
    return cases(FIRST_HELD_OUT_SEED + 800, 2)


def test_scenes_that_training_may_have_seen_are_refused():
    with pytest.raises(ValueError, match="may have been trained on"):
        cases(FIRST_HELD_OUT_SEED - 1, 1)


def test_every_scene_gives_a_move_and_a_resize_with_their_region(some):
    assert [c.kind for c in some] == ["move", "resize"] * 2
    assert len({c.before.shape for c in some}) > 1
    for case in some:
        assert case.shift >= (0.9 * LEAST_SHIFT if case.kind == "move" else 0)
        assert (case.region >= torch.maximum(case.source, case.target) * (case.before != case.truth).any(1)).all()
        same = (case.before - case.truth).abs().amax(1, keepdim=True) <= 13 / 255
        assert (same | (case.region > 0.5)).all()
        assert torch.equal((case.before * 255).round() / 255, case.before)


def test_the_truth_is_a_success_and_doing_nothing_is_none(some):
    for case in some:
        right = judge(case, case.truth, None, PLAIN)
        assert right.success
        assert right.psnr_region == math.inf
        assert right.position_error == right.area_error == 0
        assert not right.ghost > 0
        wrong = judge(case, case.before, None, PLAIN)
        assert wrong.ghost == 1 or math.isnan(wrong.ghost)
        assert wrong.identical
        assert not (case.kind == "move" and wrong.success)


def test_a_new_shadow_on_the_old_place_is_no_ghost():
    case = cases(FIRST_HELD_OUT_SEED + 526, 1)[0]  # a cup that goes just beside its shadow
    there = case.vacated > 0.5
    darker = ((case.without - case.truth).amin(1, keepdim=True) > 0.05) & there
    assert darker.sum() > 0.1 * there.sum()
    assert judge(case, case.truth, None, PLAIN).ghost == 0
    assert judge(case, case.before, None, PLAIN).ghost == 1


def test_an_object_at_both_places_is_a_ghost(some):
    case = next(c for c in some if c.kind == "move")
    twice = torch.where(case.source > 0.5, case.before, case.truth)
    verdict = judge(case, twice, None, PLAIN)
    assert verdict.position_error <= 0.03
    assert verdict.ghost > 0.9
    assert not verdict.success


def test_an_object_that_is_gone_has_not_arrived(some):
    case = next(c for c in some if c.kind == "move")
    verdict = judge(case, case.without, None, PLAIN)
    assert verdict.area_error == 1
    assert verdict.ghost == 0
    assert not verdict.success


def test_a_pixel_changed_outside_is_noticed(some):
    case = some[0]
    changed = case.truth.clone()
    y, x = (case.region[0, 0] < 0.5).nonzero()[0]
    changed[0, 0, y, x] += 1 / 255
    assert not judge(case, changed, None, PLAIN).identical
    declared = case.region.clone()
    declared[0, 0, y, x] = 1
    same_elsewhere = torch.where(declared > 0.5, changed, case.before)
    assert judge(case, same_elsewhere, declared, PLAIN).identical


def test_cut_and_paste_sets_the_object_down_where_it_belongs(some):
    case = next(c for c in some if c.kind == "move")
    picture, touched = rows.cut_paste_inpaint(case)
    assert touched is None
    assert judge(case, picture, None, PLAIN).position_error < 0.03
    assert rows.do_nothing(case)[0] is case.before


def test_patches_fill_the_old_place_and_leave_no_ghost(some):
    case = next(c for c in some if c.kind == "move")
    verdict = judge(case, real_photos.cut_paste_patchmatch(case), None, PLAIN)
    assert verdict.position_error < 0.03
    assert verdict.ghost < 0.5 < judge(case, real_photos.paste(case), None, PLAIN).ghost


def test_median_and_its_interval():
    found = median([1.0, 2.0, 3.0, math.nan])
    assert found.value == 2.0
    assert 1.0 <= found.low <= 2.0 <= found.high <= 3.0
    assert median([math.inf, math.inf]).value == math.inf
    assert math.isnan(median([math.nan]).value)


def test_share_has_wilsons_interval():
    found = share([True] * 8 + [False] * 2)  # by hand: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.8, 0.4902, 0.9433)


def test_a_paired_difference_is_of_the_same_cases():
    """Exact in binary, so that what is certain comes out to the bit."""
    spread = [0.5, 8.0, -3.25, 100.0]
    same = paired_difference(spread, spread)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert not same.shows_difference
    shifted = paired_difference([v - 0.25 for v in spread], spread)
    assert (shifted.value, shifted.low, shifted.high) == (-0.25, -0.25, -0.25)
    assert shifted.shows_difference
    unknown = paired_difference([1.0, math.nan, 3.0], [0.5, 2.0, math.nan])
    assert (unknown.value, unknown.low, unknown.high) == (0.5, 0.5, 0.5)
    assert math.isnan(paired_difference([math.nan], [1.0]).value)


def test_the_interval_of_a_paired_difference_is_that_of_the_means_of_cases_drawn_again():
    """Of differences 0 and 1, two drawn again have the mean 0, 1/2 or 1, in a quarter, half and quarter of draws."""
    found = paired_difference([1.0, 3.0], [1.0, 2.0])
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)
    assert not found.shows_difference
    many = [math.sqrt(i) for i in range(50)]
    first, again, other = (paired_difference(many, [0.0] * 50, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert first.low < sum(many) / 50 < first.high
    assert first.shows_difference


def test_the_published_rule_is_equation_three():
    rule = PublishedRule(lambda tape, i: torch.tensor(1.0), 10.0)
    gradient = torch.randn(1, 4, 3, 5)
    one, two = (rule.shift(gradient, gradient, torch.tensor(ab)) for ab in (0.36, 0.84))
    torch.testing.assert_close(one, 10 * 0.8 * gradient)
    torch.testing.assert_close(two / one, torch.full_like(one, 0.5))
    assert rule.evaluate(Tape(), 0, 10) == 1.0


def contest_of(found: list[Case], settings: Settings, only: tuple[str, ...] = ()) -> tuple[dict, dict]:
    """Contestants on some edits: the results, and what the JSON of the full run holds of them."""
    results = relocation.run(found, relocation.Contest("tabletop", only, settings=settings), workers=1)
    table = {name: relocation.summary(r) for name, r in results.items()}
    return results, json.loads(relocation.as_json(table, len(found)))


def test_an_edit_through_the_contest(tmp_path):
    """The table, the JSON and the sheet of a run."""
    only = "do-nothing", "centroid-only"
    results, written = contest_of(cases(FIRST_HELD_OUT_SEED + 900, 1)[:1], FEW, only)
    assert tuple(written["rows"]) == only
    nothing, guided = written["rows"]["do-nothing"], written["rows"]["centroid-only"]
    assert nothing["move_success"] == 0
    assert nothing["ghost_median"] == 1
    assert nothing["psnr_rest_median"] is None  # infinite
    assert guided["forward_equivalents"] > nothing["forward_equivalents"] == 0
    relocation.write_sheet(results, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 10_000


@pytest.mark.slow
def test_four_scenes_through_the_whole_contest():
    """On eight edits, with few steps, realedit is nearest to the truth."""
    _, written = contest_of(cases(FIRST_HELD_OUT_SEED + 900, 4), Settings(steps=8))
    every = "do-nothing", "cut-paste-inpaint", "textbook", "centroid-only", "self-guidance", "realedit"
    assert tuple(written["rows"]) == every
    assert written["rows"]["realedit"]["position_error_median"] < 0.03
    assert written["rows"]["realedit"]["identical_rest"] == 1
    others = [row["psnr_region_median"] for name, row in written["rows"].items() if name != "realedit"]
    assert written["rows"]["realedit"]["psnr_region_median"] > max(others)


@pytest.mark.parametrize("why", [EditError, RecognitionError])
@pytest.mark.parametrize("contest", [rows, edits], ids=lambda module: module.__name__)
def test_an_edit_that_is_refused_counts_as_the_photo_unchanged(some, tabletop, monkeypatch, contest, why):
    def refused(model, photo, prompt, *edits, settings, perceptual):
        raise why("it would leave the photo, or is not seen there")

    monkeypatch.setattr(contest, "edit", refused)
    picture, touched = contest.realedit(tabletop, PLAIN, FEW)(some[0])
    assert torch.equal(picture, some[0].before)
    assert touched is None


def test_every_ablation_replaces_something_that_is_there(tabletop):
    names = set()
    for name, variant in ablation.VARIANTS.items():
        for owner, attribute, _ in variant.replaced:
            before = getattr(owner, attribute)
            with ablation.replacing(variant.replaced):
                assert getattr(owner, attribute) is not before, name
            assert getattr(owner, attribute) is before
        names.add((variant.settings, tuple((a, value) for _, a, value in variant.replaced)))
    assert len(names) == len(ablation.VARIANTS)


def test_everything_is_always_among_the_variants_that_run():
    assert ablation.chosen([]) == tuple(ablation.VARIANTS)
    assert ablation.chosen(["no shadow"]) == (ablation.WHOLE, "no shadow")


def test_an_ablation_goes_on_from_what_is_kept(some, tmp_path, monkeypatch):
    """Lines hold all that was measured, NaN too, and what has a line is not measured again."""
    case, asked = some[0], []

    def measure(self, name, case):
        asked.append(name)
        verdict = replace(judge(case, case.before, None, PLAIN), ghost=math.nan)
        return ablation.Measured(case.name, case.kind, name, 3.5, 0.1, verdict)

    monkeypatch.setattr(ablation.Ablation, "_measure", measure)
    ablation.Ablation("tabletop", ablation.chosen(["no shadow"]), tmp_path)(case)
    names = ablation.chosen(["no shadow", "no matting"])
    found = ablation.Ablation("tabletop", names, tmp_path)(case)
    assert asked == ["everything", "no shadow", "no matting"]
    assert list(found) == list(names)
    assert repr(ablation.Ablation("tabletop", names, tmp_path)(case)) == repr(found)
    assert len(asked) == 3


def test_differences_are_without_minus_with(some):
    case = some[0]
    with_it, without = (judge(case, picture, None, PLAIN) for picture in (case.truth, case.before))
    measured = {
        name: [ablation.Measured(case.name, case.kind, name, 1.0, 1.0, replace(verdict, psnr_region=level))]
        for name, verdict, level in ((ablation.WHOLE, with_it, 30.0), ("no matting", without, 10.0))
    }
    compared = ablation.differences(measured)
    assert list(compared) == ["no matting"]
    assert compared["no matting"]["psnr_region"].value == -20
    assert compared["no matting"]["success"].value == -1
    found = json.loads(ablation.with_differences("{}", compared))
    assert found["differences"]["no matting"]["psnr_region"] == [-20, -20, -20]
    same = ablation.differences(measured | {"no matting": measured[ablation.WHOLE]})
    table = ablation.as_difference_table(same, 1)
    assert all(ablation.NONE_SHOWN in cell for column in table.columns[1:] for cell in column.cells)


def test_ranged_cases_lie_in_their_bins():
    (case,) = ranged_cases(FIRST_HELD_OUT_SEED, ((0.05, 0.10),), ((0.30, 0.45),))
    assert 0.05 <= case.source.mean() < 0.10
    assert 0.28 < case.shift < 0.47
    assert ranged_cases(FIRST_HELD_OUT_SEED, ((0.9, 0.95),), ((0.5, 0.6),)) == []


@pytest.fixture(scope="module")
def other_edits() -> list[EditCase]:
    return edit_cases(FIRST_HELD_OUT_SEED + 800, 1)


def test_of_other_edits_the_truth_is_right_and_doing_nothing_is_not(other_edits):
    assert [c.kind for c in other_edits] == ["recolour", "restyle", "swap", "remove"]
    for case in other_edits:
        right = judge_edit(case, case.truth, None, PLAIN)
        assert right.success, case.name
        assert right.psnr_region == math.inf
        assert not judge_edit(case, case.before, None, PLAIN).success, case.name


def test_swapped_objects_may_stand_a_little_off_and_no_farther(other_edits):
    for case in other_edits:
        if case.kind == "swap":
            height = case.before.shape[-2]
            near, far = (case.truth.roll(round(share * height), -2) for share in (0.02, 0.06))
            assert judge_edit(case, near, None, PLAIN).success
            assert not judge_edit(case, far, None, PLAIN).success


def test_every_other_look_is_the_wrong_one(other_edits):
    for case in other_edits:
        for wrong in case.choices[1:]:
            assert judge_edit(case, wrong, None, PLAIN).right_look is False


def test_a_look_that_spills_over_has_lost_its_shape(other_edits):
    case = other_edits[0]
    spilt = torch.where(dilate(case.targets[0], 0.06) > 0.5, case.truth.flip(1), case.truth)
    assert judge_edit(case, spilt, None, PLAIN).overlap < 0.85


def test_a_removed_object_that_half_remains_is_still_there(other_edits):
    case = next(c for c in other_edits if c.kind == "remove")
    half = torch.where(
        (case.sources[0] > 0.5) & (torch.arange(case.before.shape[-1]) % 2 == 0), case.before, case.truth
    )
    assert judge_edit(case, half, None, PLAIN).left > 0.3


def contest_of_edits(some: list[EditCase], settings: Settings, only: tuple[str, ...] = ()) -> dict:
    """What the JSON of the full run holds of some edits."""
    found = edits.run(some, edits.Contest("tabletop", only, settings=settings), workers=1)
    return json.loads(edits.as_json(edits.tables(found), 1))["edits"]


def test_an_edit_through_the_contest_of_edits(other_edits):
    """The rows of a removal, which is the one that inpainting can make too; that of realedit is in the slow test."""
    only = "do-nothing", "new-prompt", "renoise-0.4", "inpaint"
    written = contest_of_edits([case for case in other_edits if case.kind == "remove"], FEW, only)
    assert list(written) == ["remove"]
    rows = written["remove"]
    assert tuple(rows) == only
    assert rows["do-nothing"]["identical_rest"] == 1
    assert rows["inpaint"]["psnr_region_median"] > rows["do-nothing"]["psnr_region_median"]


@pytest.mark.slow
def test_one_scene_through_the_contest_of_edits(other_edits):
    written = contest_of_edits(other_edits, Settings(steps=6))
    assert list(written) == ["recolour", "restyle", "swap", "remove"]
    assert "inpaint" not in written["swap"]
    renoised = ["renoise-0.4", "renoise-0.6", "renoise-0.8"]
    assert list(written["remove"]) == ["do-nothing", "new-prompt", *renoised, "inpaint", "realedit"]
    assert all(rows["realedit"]["identical_rest"] == 1 for rows in written.values())
    nothing, ours = written["remove"]["do-nothing"], written["remove"]["realedit"]
    assert ours["psnr_region_median"] > nothing["psnr_region_median"]


@pytest.mark.skipif(not OBJMOVE.is_dir(), reason="no real photos on this machine")
def test_real_photos_are_read_with_their_truth():
    entries = json.loads((OBJMOVE / "edits.json").read_text())
    name, entry = next(iter(entries.items()))
    case = real_photos.load_scene(OBJMOVE, name, entry)
    right = real_photos.numbers(case, case.truth, PLAIN)
    assert right.psnr_full == right.psnr_region == math.inf
    assert right.ghost < 0.1
    nothing = real_photos.numbers(case, case.before, PLAIN)
    assert nothing.ghost == 1
    pasted = real_photos.numbers(case, real_photos.paste(case), PLAIN)
    assert nothing.psnr_region < pasted.psnr_region < right.psnr_region


@pytest.mark.slow
def test_every_way_to_invert_has_its_numbers():
    trial = inversion.Trial("tabletop", 1, 1, relocation.FIRST_HELD_OUT_SEED, 3, 7.5, None, None)
    bound, residual = trial(inversion.BOUND), trial("residual")
    assert set(bound) == {"psnr", "ssim", "perceptual"}
    assert set(residual) == set(bound) | {"forward_equivalents", "seconds", "peak_memory_mb", "move_success"}
    assert residual["psnr"] > bound["psnr"] - 0.05  # exact, but for the autoencoder
    assert residual["forward_equivalents"] == 3 * 3  # up, and both rows back
    assert residual["move_success"] in (0.0, 1.0)
    assert inversion.TEXTBOOK_NAME in inversion.WAYS
    inversion.as_table({inversion.BOUND: bound, "residual": residual})
