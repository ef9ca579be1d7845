"""Scenes that a small picture can still tell apart: one or two plain objects before a plain wall."""

from dataclasses import replace

from torch import Tensor

from samples.looks import Looks
from samples.renderer import render
from samples.scenes import Scene, sample_scene

SIDE = 32  # pixels
MOST_THINGS = 2
PLAIN = Looks(patterns=(1, 0, 0, 0), plain=(1, 0, 0), patterned=(1, 0, 0))
TABLES, WALLS = ("wooden", "dark", "white", "grey"), ("white", "grey", "beige", "blue")


def small_scene(seed: int) -> Scene:
    """The scene of a seed, with its first objects and plain surroundings; the same call, the same scene."""
    scene = sample_scene(seed, SIDE, SIDE, PLAIN)
    table, wall = TABLES[seed % len(TABLES)], WALLS[seed // len(TABLES) % len(WALLS)]
    return replace(scene, things=scene.things[:MOST_THINGS], table=table, wall=wall)


def small_photos(first: int, count: int) -> Tensor:
    """Photos (count, 3, 32, 32) in [0, 1] of the scenes of consecutive seeds."""
    return render([small_scene(first + k) for k in range(count)], SIDE, SIDE).photos
