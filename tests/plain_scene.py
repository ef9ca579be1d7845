"""A photo that the bundled model does not know: a striped disc on a grainy floor."""

import numpy as np

from realedit.files.photo import Photo

HEIGHT, WIDTH = 96, 144
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
DISC = (COLUMNS - 40) ** 2 + (ROWS - 50) ** 2 < 14**2
SHADE = ((COLUMNS - 52) / 14) ** 2 + ((ROWS - 62) / 6) ** 2 < 1


def floor() -> np.ndarray:
    """A grainy floor."""
    grain = np.random.default_rng(0).normal(0, 6, (HEIGHT, WIDTH, 1))
    return np.clip(np.array((150, 130, 110)) + grain, 0, 255).astype(np.uint8)


def scene(*, shade: bool = False) -> Photo:
    """A striped blue disc on the floor, with a shadow or without."""
    rgb = floor()
    if shade:
        rgb[SHADE] = rgb[SHADE] * 0.5
    rgb[DISC] = np.where((ROWS // 3 % 2)[..., None] == 0, (30, 60, 200), (40, 90, 230))[DISC]
    return Photo(rgb)
