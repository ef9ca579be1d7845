"""Edits with a known answer: held-out scenes, an edit of each, and the renderer's true picture of it."""

import itertools
import math
import random
from dataclasses import dataclass

from torch import Tensor

from inversion.properties import centroid
from realedit.edits import Move, Resize
from samples.renderer import render, touched_mask
from samples.scenes import FIRST_HELD_OUT_SEED, Scene, extent, project, sample_scene
from samples.shapes import SHAPES

SIZES = ((128, 128), (160, 96), (96, 160))  # (width, height), in turn
LEAST_SHIFT = 0.15  # of the frame
SCALES = (0.6, 0.8), (1.25, 1.6)
EDGE, GAP = 0.02, 0.02  # of the frame: how near the edited object may come to the border, and to others
TRIES = 200
SEEDS_PER_BIN = 200
LEAST_OF_BOX = 0.4  # of its box that an object covers
Bins = tuple[tuple[float, float], ...]  # from, to


@dataclass(frozen=True)
class Change:
    """Object `k` of a scene after an edit of the world: the scene, and the object without its neighbours."""

    scene: Scene
    k: int
    after: Scene
    kind: str


@dataclass(frozen=True, eq=False)
class Case:
    """One edit of one photo and its true answer.

    Photos are (1, 3, H, W): `before`, `truth`, and the scene `without` the object. Masks are
    (1, 1, H, W): the object before (`source`) and in the truth (`target`), the `region` that object
    and shadow cover before or after, and the pixels `vacated`, covered wholly before and not at all
    after. `edit` asks for what the true pictures show.
    """

    name: str
    kind: str
    prompt: str
    edit: Move | Resize
    before: Tensor
    truth: Tensor
    without: Tensor
    source: Tensor
    target: Tensor
    region: Tensor
    vacated: Tensor

    @property
    def shift(self) -> float:
        """How far the object's centre goes, in fractions of the frame."""
        return float((centroid(self.target[0, 0]) - centroid(self.source[0, 0])).norm())


def cases(first_seed: int, scenes: int, scale: float = 1.0) -> list[Case]:
    """A move and a resize in each of the first `scenes` usable scenes from `first_seed` on, drawn `scale` times as
    large as usual.

    Raises:
        ValueError: `first_seed` is a seed that training may have seen.
    """
    if first_seed < FIRST_HELD_OUT_SEED:
        raise ValueError(f"seeds below {FIRST_HELD_OUT_SEED} may have been trained on, got {first_seed}")
    found: list[Case] = []
    seed = first_seed
    while len(found) < 2 * scenes:
        size = SIZES[seed % len(SIZES)]
        scene, rng = sample_scene(seed, *size), random.Random(seed)
        changes = [draw_move(scene, size, rng), draw_resize(scene, size, rng)]
        if all(changes):
            drawn = (round(size[0] * scale), round(size[1] * scale))
            found += [drawn_case(f"{change.kind} {seed}", change, drawn) for change in changes if change]
        seed += 1
    return found


def draw_move(scene: Scene, size: tuple[int, int], rng: random.Random) -> Change | None:
    """Any object, moved along the table by at least the least shift of the frame; None if none fits."""
    for _ in range(TRIES):
        k = rng.randrange(len(scene.things))
        wide = size[0] / min(size)
        after = scene.moved(k, rng.uniform(-2, 2) * wide, rng.uniform(-0.35, 0.35))
        change = Change(scene, k, after, "move")
        if free(change, size) and _distance(change, size) >= LEAST_SHIFT:
            return change
    return None


def draw_resize(scene: Scene, size: tuple[int, int], rng: random.Random) -> Change | None:
    """Any object, made larger or smaller; the lowest point that is seen of it stays where it is."""
    for _ in range(TRIES):
        k = rng.randrange(len(scene.things))
        scale = rng.uniform(*rng.choice(SCALES))
        back = scene.front(k) * (scale - 1)
        change = Change(scene, k, scene.resized(k, scale).moved(k, 0.0, back), "resize")
        if free(change, size):
            return change
    return None


def free(change: Change, size: tuple[int, int]) -> bool:
    """Whether the object is in the frame, before the wall and clear of the others, before and after."""
    for scene in (change.scene, change.after):
        thing = scene.things[change.k]
        left, top, right, bottom = extent(scene, thing, *size)
        if min(left, top) < EDGE or max(right, bottom) > 1 - EDGE:
            return False
        if thing.y + SHAPES[thing.shape].radius * thing.size > scene.wall_y - 0.1:
            return False
        for j, other in enumerate(scene.things):
            l2, t2, r2, b2 = extent(scene, other, *size)
            apart = max(left - r2, l2 - right, top - b2, t2 - bottom)
            if j != change.k and apart < GAP:
                return False
    return True


def _distance(change: Change, size: tuple[int, int]) -> float:
    points = []
    for scene in (change.scene, change.after):
        thing = scene.things[change.k]
        points.append(project(scene, (thing.x, thing.y, SHAPES[thing.shape].height * thing.size / 2), *size)[:2])
    return math.dist(*points)


def drawn_case(name: str, change: Change, size: tuple[int, int]) -> Case:
    """Render a change, and put it in the words and fractions that a user would give."""
    scene, k = change.scene, change.k
    drawn = render([scene, change.after, scene.without(k)], *size)
    photos = (drawn.photos * 255).round() / 255  # as a file would hold them
    before, truth, without = (photo[None] for photo in photos)
    covered = drawn.masks[:2, k, None, None]
    source, target = (covered > 0.5).float()
    vacated = ((covered[0] > 0.99) & (covered[1] < 0.01)).float()
    phrase, scale = scene.things[k].phrase, float(target.sum() / source.sum()) ** 0.5
    dx, dy = (centroid(target[0, 0]) - centroid(source[0, 0])).tolist()
    edit: Move | Resize = Move(phrase, by=(dx, dy), scale=scale) if change.kind == "move" else Resize(phrase, scale)
    region = ((touched_mask(before, without) + touched_mask(truth, without)) > 0).float()
    return Case(name, change.kind, scene.caption, edit, before, truth, without, source, target, region, vacated)


def ranged_cases(first_seed: int, sizes: Bins, shifts: Bins) -> list[Case]:
    """One move for every bin of the object's size (share of the frame) and of its shift (fraction of the
    frame), in scenes of a single object that is scaled as needed. Bins that no scene fits stay empty."""
    if first_seed < FIRST_HELD_OUT_SEED:
        raise ValueError(f"seeds below {FIRST_HELD_OUT_SEED} may have been trained on, got {first_seed}")
    found, frame = [], SIZES[0]
    for number, (size, shift) in enumerate(itertools.product(sizes, shifts)):
        rng = random.Random(first_seed + number)
        change = _draw_in_bins(first_seed + SEEDS_PER_BIN * number, size, shift, frame, rng)
        if change is not None:
            name = f"{size[0]:.0%} to {size[1]:.0%} by {shift[0]:.0%} to {shift[1]:.0%}"
            found.append(drawn_case(name, change, frame))
    return found


def _draw_in_bins(
    seed: int, size: tuple[float, float], shift: tuple[float, float], frame: tuple[int, int], rng: random.Random
) -> Change | None:
    for scene in (sample_scene(s, *frame) for s in range(seed, seed + SEEDS_PER_BIN)):
        if len(scene.things) != 1:
            continue
        for _ in range(TRIES):
            scaled = scene.resized(0, rng.uniform(0.5, 3.0)).moved(0, rng.uniform(-1, 1), rng.uniform(-0.5, 0.5))
            change = Change(scaled, 0, scaled.moved(0, rng.uniform(-3, 3)), "move")
            left, top, right, bottom = extent(scaled, scaled.things[0], *frame)
            box = (right - left) * (bottom - top)
            likely = LEAST_OF_BOX * box < size[1] and box > size[0]
            fits = likely and shift[0] <= _distance(change, frame) < shift[1] and free(change, frame)
            if fits and size[0] <= _covered(scaled, frame) < size[1]:
                return change
    return None


def _covered(scene: Scene, frame: tuple[int, int]) -> float:
    """The share of the frame that a scene's single object covers."""
    return float((render([scene], *frame).masks[0, 0] > 0.5).float().mean())
