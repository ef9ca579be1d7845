"""A part of a photo as MobileSAM sees it, asked in fractions of the whole photo."""

from functools import lru_cache

import cv2
import numpy as np

from realedit.files.photo import Photo, Pixels
from realedit.geometry.transform import Box, Point
from realedit.images import to_bytes
from realedit.objects.mobile_sam import Prompt, Proposals, SeenPicture

SHOWN_TO_SAM = 768  # pixels of the longer side of what is seen: as good as the 1024 of its training, in half the time
SMALL_SIDE, SMALL_EXTENT = 512, 200  # the same of parts that have so few pixels
CONTEXT = 0.6  # of a box's longer side: how much of its surroundings is shown around it


class SeenPart:
    """The `part` of a photo, seen at `size` (width, height)."""

    def __init__(self, photo: Photo, part: Pixels) -> None:
        self.part, self._whole = part, photo.size
        extent = part[2] - part[0], part[3] - part[1]
        side = SMALL_SIDE if max(extent) <= SMALL_EXTENT else SHOWN_TO_SAM
        self.size = max(1, round(extent[0] * side / max(extent))), max(1, round(extent[1] * side / max(extent)))
        self._seen = SeenPicture(to_bytes(photo.cropped(part).small(self.size)))

    def proposals(self, prompt: Prompt) -> Proposals:
        """What a prompt in fractions of the photo may mean in this part; points outside it say nothing."""
        box = None if prompt.box is None else (*self._place(prompt.box[:2]), *self._place(prompt.box[2:]))
        inside, outside = (
            tuple(place for place in map(self._place, points) if min(place) >= 0 and max(place) < 1)
            for points in (prompt.inside, prompt.outside)
        )
        return self._seen.proposals(Prompt(inside, outside, box))

    def shown(self, mask: np.ndarray) -> np.ndarray:
        """A mask (H, W) of the photo, in any size, as this part shows it (h, w)."""
        x, y = (
            (self.part[k] + (np.arange(self.size[k]) + 0.5) * (self.part[k + 2] - self.part[k]) / self.size[k])
            * (mask.shape[1 - k] / self._whole[k])
            - 0.5
            for k in range(2)
        )
        across, down = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        level = cv2.remap(mask.astype(np.float32), across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(level > 0.5)

    def pixel(self, point: Point) -> tuple[int, int]:
        """The (row, column) of a point of the photo in what is seen, the nearest one where it lies outside."""
        x, y = self._place(point)
        return (
            int(np.clip(y * self.size[1], 0, self.size[1] - 1)),
            int(np.clip(x * self.size[0], 0, self.size[0] - 1)),
        )

    def point(self, row: int, column: int) -> Point:
        """The point of the photo in the middle of a pixel of what is seen."""
        x, y = (
            (self.part[k] + (at + 0.5) * (self.part[k + 2] - self.part[k]) / self.size[k]) / self._whole[k]
            for k, at in enumerate((column, row))
        )
        return x, y

    def _place(self, point: Point) -> Point:
        x, y = ((point[k] * self._whole[k] - self.part[k]) / (self.part[k + 2] - self.part[k]) for k in range(2))
        return x, y


@lru_cache(maxsize=1)
def seen_whole(photo: Photo) -> SeenPart:
    """The whole photo. The last one is kept: who clicks on a page clicks again."""
    return SeenPart(photo, (0, 0, *photo.size))


def part_around(box: Box, points: tuple[Point, ...], size: tuple[int, int]) -> Pixels:
    """A box and points of a photo of this (width, height) and what surrounds them, in pixels."""
    corners = [*points, box[:2], box[2:]]
    low, high = ([edge(corner[k] for corner in corners) * size[k] for k in range(2)] for edge in (min, max))
    more = CONTEXT * max(high[0] - low[0], high[1] - low[1]) + 2
    return (
        max(0, int(low[0] - more)),
        max(0, int(low[1] - more)),
        min(size[0], int(np.ceil(high[0] + more))),
        min(size[1], int(np.ceil(high[1] + more))),
    )
