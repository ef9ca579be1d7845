"""The eight ways in which a camera may have held its sensor (EXIF 2.32, tag 274)."""

from collections.abc import Callable

import numpy as np

UPRIGHT = 1
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


def swaps_sides(orientation: int) -> bool:
    """Whether the sensor lay on its side: the width of its picture is the height of the upright one."""
    return orientation in TURNS and orientation > 4


def turned(picture: np.ndarray, orientation: int) -> np.ndarray:
    """A picture (H, W, ...) as its sensor saw it, set upright; an orientation that there is not changes nothing."""
    turn = TURNS.get(orientation)
    return np.ascontiguousarray(turn(picture)) if turn else picture
