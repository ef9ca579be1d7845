"""The tasks that systems are compared on: held-out scenes whose true result is rendered, who takes part, and when a
picture counts as right. A new task is a line of `TASKS`; a new system a line of the task's rows."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from realedit.evaluation.metrics import PerceptualMetric, psnr, region_mean
from samples.scenes import sample_scene
from tests.benchmarks.cases import SIZES, draw_move, drawn_case
from tests.benchmarks.direction_cases import direction_case, small_direction_case
from tests.benchmarks.drag_cases import drag_case, drag_is_right
from tests.benchmarks.edit_cases import recolouring, removal, restyling
from tests.benchmarks.edit_judge import distance, judge_edit
from tests.benchmarks.judge import judge
from tests.benchmarks.method_rig import UNCONDITIONAL, Rig, Row
from tests.benchmarks.method_rows import (
    direction_rows,
    drag_rows,
    fill_rows,
    look_rows,
    move_rows,
    small_direction_rows,
)

STRANGE = 0.2  # root mean square colour difference from which a pixel of a filled place is not what belongs there
MOST_STRANGE = 0.1  # of the place: more is another thing in it
Frame = tuple[int, int]


@dataclass(frozen=True)
class Measures:
    """Of one picture: whether it is right, PSNR in dB and perceptual distance to the truth inside the region that the
    edit changes and outside it, and whether no pixel is changed outside what the system says it touched."""

    success: bool
    psnr_region: float
    perceptual_region: float
    psnr_outside: float
    perceptual_outside: float
    identical: bool


@dataclass(frozen=True, eq=False)
class BenchmarkTask:
    """`case`: of a scene's seed and frame, None where the scene does not allow it; it has the pictures `before` and
    `truth` (1, 3, H, W) and the `region` (1, 1, H, W) in which they differ. `right`: whether a result does what was
    asked. `rows`: who takes part, by name; with another `model` than the one asked for, if one is named."""

    case: Callable[[int, Frame], Any]
    right: Callable[[Any, Tensor, PerceptualMetric], bool]
    rows: Callable[[Rig], Mapping[str, Row]]
    model: str | None = None

    def cases(self, first_seed: int, count: int) -> list[Any]:
        """The first ones from a seed on, named by it."""
        found: list[Any] = []
        seed = first_seed
        while len(found) < count:
            case = self.case(seed, SIZES[seed % len(SIZES)])
            if case is not None:
                found.append(replace(case, name=str(seed)))
            seed += 1
        return found

    def measures(self, case: Any, result: Tensor, touched: Tensor | None, perceptual: PerceptualMetric) -> Measures:
        """Of a `result` (1, 3, H, W); `touched` (1, 1, H, W): what may be changed, None: the region."""
        outside, apart = 1 - case.region, perceptual.distance(result, case.truth)
        rest = outside if touched is None else 1 - touched
        return Measures(
            success=self.right(case, result, perceptual),
            psnr_region=psnr(result, case.truth, case.region),
            perceptual_region=region_mean(apart, case.region),
            psnr_outside=psnr(result, case.truth, outside),
            perceptual_outside=region_mean(apart, outside),
            identical=bool(((result == case.before).all(1, keepdim=True) | (rest < 0.5)).all()),
        )


def edit_is_right(case: Any, result: Tensor, perceptual: PerceptualMetric) -> bool:
    return judge_edit(case, result, None, perceptual).success


def fill_is_right(case: Any, result: Tensor, perceptual: PerceptualMetric) -> bool:
    """The object is gone, and no other thing stands where it stood."""
    there = case.sources[0] > 0.5
    strange = float((distance(result, case.truth) > STRANGE)[there].float().mean())
    return edit_is_right(case, result, perceptual) and strange <= MOST_STRANGE


def move_is_right(case: Any, result: Tensor, perceptual: PerceptualMetric) -> bool:
    return judge(case, result, None, perceptual).success


def moved_case(seed: int, frame: Frame) -> Any:
    change = draw_move(sample_scene(seed, *frame), frame, random.Random(seed))
    return None if change is None else drawn_case(str(seed), change, frame)


def edit_case(kind: Callable[..., Any]) -> Callable[[int, Frame], Any]:
    return lambda seed, frame: kind(sample_scene(seed, *frame), frame, random.Random(seed))


def dragged_right(case: Any, result: Tensor, perceptual: PerceptualMetric) -> bool:
    return drag_is_right(case, result)


TASKS = {
    "recolour": BenchmarkTask(edit_case(recolouring), edit_is_right, look_rows),
    "restyle": BenchmarkTask(edit_case(restyling), edit_is_right, look_rows),
    "fill": BenchmarkTask(edit_case(removal), fill_is_right, fill_rows),
    "move": BenchmarkTask(moved_case, move_is_right, move_rows),
    "direction": BenchmarkTask(direction_case, edit_is_right, direction_rows),
    "direction, no words": BenchmarkTask(small_direction_case, edit_is_right, small_direction_rows, UNCONDITIONAL),
    "drag": BenchmarkTask(drag_case, dragged_right, drag_rows),
}
