"""Edits other than relocation with a known answer: new colours, new patterns and materials, objects that
change places, objects that go."""

import random
from dataclasses import dataclass, replace

from torch import Tensor

from realedit.edits import Edit, Remove, Restyle, Swap
from samples.looks import MATERIALS, PATTERNS
from samples.renderer import render, touched_mask
from samples.scenes import COLOURS, FIRST_HELD_OUT_SEED, Scene, sample_scene
from tests.benchmarks.cases import SIZES, Change, free

LEAST_SIZE = 0.01  # of the frame: of smaller objects a look can hardly be told


@dataclass(frozen=True, eq=False)
class EditCase:
    """One edit of one photo and its true answer.

    Photos are (1, 3, H, W): `before`, `truth`, and the scene `without` the edited objects. Masks are
    (1, 1, H, W): each edited object before (`sources`) and in the truth (`targets`), and the `region` in
    which the true pictures differ. `choices` are true pictures of every look that might have been asked
    for, the asked one first. `wanted` is the caption of the truth; for a removal it
    names the place alone, which helps the rows that follow it: they clear the whole table.
    """

    name: str
    kind: str
    prompt: str
    wanted: str
    edit: Edit
    before: Tensor
    truth: Tensor
    without: Tensor
    sources: tuple[Tensor, ...]
    targets: tuple[Tensor, ...]
    region: Tensor
    choices: tuple[Tensor, ...] = ()


def edit_cases(first_seed: int, scenes: int) -> list[EditCase]:
    """A recolouring, a restyling, a swap and a removal in each of the first `scenes` scenes from
    `first_seed` on that allow all four.

    Raises:
        ValueError: `first_seed` is a seed that training may have seen.
    """
    if first_seed < FIRST_HELD_OUT_SEED:
        raise ValueError(f"seeds below {FIRST_HELD_OUT_SEED} may have been trained on, got {first_seed}")
    found: list[EditCase] = []
    seed = first_seed
    while len(found) < 4 * scenes:
        size = SIZES[seed % len(SIZES)]
        scene, rng = sample_scene(seed, *size), random.Random(seed)
        made = [
            recolouring(scene, size, rng),
            restyling(scene, size, rng),
            swap(scene, size),
            removal(scene, size, rng),
        ]
        if all(made):
            found += [replace(case, name=f"{case.kind} {seed}") for case in made if case]
        seed += 1
    return found


def recolouring(scene: Scene, size: tuple[int, int], rng: random.Random) -> EditCase | None:
    """Another colour that nothing in the scene has."""
    k = rng.randrange(len(scene.things))
    used = {t.colour for t in scene.things}
    colour = rng.choice([c for c in COLOURS if c not in used])
    others = [scene.recoloured(k, c) for c in COLOURS if c != colour]
    return look_case(scene, k, [scene.recoloured(k, colour), *others], "recolour", size)


def restyling(scene: Scene, size: tuple[int, int], rng: random.Random) -> EditCase | None:
    """Another pattern, or another material, in the same colour."""
    k = rng.randrange(len(scene.things))
    thing = scene.things[k]
    if rng.random() < 0.5:
        looks = [replace(thing, pattern=p, material="matte") for p in PATTERNS if p != thing.pattern]
    else:
        looks = [replace(thing, material=m, pattern="plain") for m in MATERIALS if m != thing.material]
    rng.shuffle(looks)
    return look_case(scene, k, [scene.with_thing(k, look) for look in (*looks, thing)], "restyle", size)


def swap(scene: Scene, size: tuple[int, int]) -> EditCase | None:
    """The first two objects change places."""
    if len(scene.things) < 2:
        return None
    one, two = scene.things[:2]
    dx, dy = two.x - one.x, two.y - one.y
    after = scene.moved(0, dx, dy).moved(1, -dx, -dy)
    if not all(free(Change(scene, k, after, "swap"), size) for k in (0, 1)):
        return None
    empty = replace(scene, things=scene.things[2:])
    return _case(scene, after, empty, (0, 1), Swap(one.phrase, two.phrase), scene.caption, "swap", size)


def removal(scene: Scene, size: tuple[int, int], rng: random.Random) -> EditCase | None:
    """One object goes, its shadow too."""
    k = rng.randrange(len(scene.things))
    after, phrase = scene.without(k), scene.things[k].phrase
    return _case(scene, after, after, (k,), Remove(phrase), after.emptied().caption, "remove", size)


def look_case(scene: Scene, k: int, looks: list[Scene], kind: str, size: tuple[int, int]) -> EditCase | None:
    """Object `k` in the first of several `looks`, which are scenes with all that might have been asked for."""
    old, new = scene.things[k].phrase, looks[0].things[k].phrase
    wanted = scene.caption.replace(old, new)
    case = _case(scene, looks[0], scene.without(k), (k,), Restyle(old, new), wanted, kind, size)
    if case is None:
        return None
    return replace(case, choices=tuple(_pictures(looks, size)))


def _case(
    scene: Scene,
    after: Scene,
    empty: Scene,
    edited: tuple[int, ...],
    edit: Edit,
    wanted: str,
    kind: str,
    size: tuple[int, int],
) -> EditCase | None:
    before, truth, without = _pictures([scene, after, empty], size)
    masks = render([scene, after], *size).masks
    sources = tuple((masks[0, k, None, None] > 0.5).float() for k in edited)
    targets = sources if kind == "remove" else tuple((masks[1, k, None, None] > 0.5).float() for k in edited)
    region = touched_mask(before, truth)
    if min(float(m.mean()) for m in sources) < LEAST_SIZE or not region.any():
        return None
    return EditCase("", kind, scene.caption, wanted, edit, before, truth, without, sources, targets, region)


def _pictures(scenes: list[Scene], size: tuple[int, int]) -> list[Tensor]:
    """Renders as a file would hold them."""
    return [photo[None] for photo in (render(scenes, *size).photos * 255).round() / 255]
