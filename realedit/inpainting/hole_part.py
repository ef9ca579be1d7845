"""A hole and what is around it, and how that looks in smaller pictures, in which it is told what is copied."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from realedit.images import fine_detail
from realedit.inpainting.offset_map import HoleView
from realedit.inpainting.patch_offsets import PATCH_SIDE
from realedit.inpainting.texture import expected_texture

TEXTURE_AT = 400  # pixels of the hole in the picture in which it is told how much detail it should show
COLOUR_UNIT = 20.0  # of L*a*b*: a difference of colours that counts as 1
FAINTEST = 1 / 255  # amplitude: what is fainter is no texture
SHARPEST = 0.5  # pixels of blur that make no difference
PARTLY_HIDDEN = 0.01  # share of a small pixel from which it counts as hidden


@dataclass(frozen=True, eq=False)
class HolePart:
    """The part of a photo around a hole: its `pixels` (H, W, 3), the `hole` (H, W), what else must not be copied,
    `forbidden` (H, W), and if anything tells, what is `expected` (H, W, 3) in the hole, as fine as `detail` pixels, and
    how far that is to be trusted, `trust` (H, W), None for wholly. `texture` (H, W), if it is known, is the logarithm
    of the energy of fine detail, in the hole of what is expected there."""

    pixels: np.ndarray
    hole: np.ndarray
    forbidden: np.ndarray
    expected: np.ndarray | None = None
    detail: float = 1.0
    trust: np.ndarray | None = None
    texture: np.ndarray | None = None

    def textured(self) -> "HolePart":
        """The same whose texture is known."""
        view = Level.of(self, TEXTURE_AT).view
        own = np.log(fine_detail(self.pixels) + FAINTEST**2)
        small = cv2.resize(own, view.hole.shape[::-1], interpolation=cv2.INTER_AREA)
        tones = None if view.expected is None else np.where(view.hole[..., None], view.expected, view.colours)
        wanted = expected_texture(small, view.known, view.hole, tones)
        wanted = cv2.resize(wanted, self.hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return replace(self, texture=np.where(self.hole, wanted, own))


@dataclass(frozen=True, eq=False)
class Level:
    """A part of this `size` (height, width) seen smaller: its `pixels` (h, w, 3), and what there is to compare."""

    pixels: np.ndarray
    view: HoleView
    size: tuple[int, ...]

    @classmethod
    def of(cls, part: HolePart, hole_pixels: int) -> "Level":
        """So small that the hole has about so many pixels."""
        height, width = part.hole.shape
        scale = min(1.0, (hole_pixels / part.hole.sum()) ** 0.5)
        size = max(PATCH_SIDE, round(width * scale)), max(PATCH_SIDE, round(height * scale))

        def smaller(picture: np.ndarray) -> np.ndarray:
            return cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA)

        def seen(picture: np.ndarray) -> np.ndarray:
            return cv2.cvtColor(picture, cv2.COLOR_RGB2Lab) / COLOUR_UNIT

        pixels, hole = smaller(part.pixels), smaller(part.hole) > PARTLY_HIDDEN
        known = ~hole & (smaller(part.forbidden) <= PARTLY_HIDDEN)
        view = HoleView(seen(pixels), known, hole)
        if part.texture is not None:
            view = replace(view, texture=smaller(part.texture))
        if part.expected is not None:
            blur = max(SHARPEST, part.detail * scale)
            trust = None if part.trust is None else smaller(part.trust)
            view = replace(view, expected=seen(smaller(part.expected)), blur=blur, trust=trust)
        return cls(pixels, view, part.hole.shape)

    @property
    def factor(self) -> np.ndarray:
        """How much larger the part is, down and across."""
        return np.array(self.size) / self.view.hole.shape

    def rounded(self, offsets: np.ndarray) -> np.ndarray:
        """Offsets (n, 2) of the part, in whole pixels of this size."""
        return np.rint(offsets / self.factor).astype(int)

    def enlarged(self, labels: np.ndarray) -> np.ndarray:
        """Labels (h, w) at the part's own size."""
        return nearest(labels, self.size)


def nearest(labels: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Labels (h, w) at this size (height, width)."""
    rows, columns = (np.arange(n) * m // n for n, m in zip(size, labels.shape, strict=True))
    return labels[rows[:, None], columns]
