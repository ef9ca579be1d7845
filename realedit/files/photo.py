"""A photo in memory: its own pixels in its own colours and depth, and what its file said beside them. Torch is imported
where tensors are made: photos are read and checked without it."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from inversion.interruption import may_stop
from realedit.files.colour import Colours
from realedit.files.metadata import Metadata
from realedit.files.orientation import UPRIGHT
from realedit.files.signal_coding import SignalCoding
from realedit.images import at_most, resize, to_bytes

if TYPE_CHECKING:
    from torch import Tensor

Pixels = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True)
class JpegCoding:
    """How a JPEG was compressed, so that its untouched blocks come out as they were: quantisation tables
    by number, Pillow's number of the chroma subsampling, and whether it is progressive."""

    tables: dict[int, list[int]]
    subsampling: int
    progressive: bool


@dataclass(frozen=True)
class Origin:
    """What a photo's file was: Pillow's name of the format, whether it was grey, its resolution in dots
    per inch, its JPEG coding if it had one, the EXIF orientation from which it was set upright, and the coding of its
    colours if numbers told them."""

    format: str | None = None
    grey: bool = False
    dpi: tuple[float, float] | None = None
    jpeg: JpegCoding | None = None
    orientation: int = UPRIGHT
    coding: SignalCoding | None = None


@dataclass(frozen=True, eq=False)
class Photo:
    """One upright still picture.

    `rgb` (H, W, 3) uint8 or uint16 in the colours of `origin.coding`, else of `profile` (ICC; None is sRGB); `alpha`
    (H, W) of the same type, or None. `metadata` are what the file says and an edit leaves true; `description` is what
    a caption in the file says. `notes` tell what reading lost.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None = None
    profile: bytes | None = None
    metadata: Metadata = Metadata()
    description: str | None = None
    origin: Origin = Origin()
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]

    @property
    def peak(self) -> int:
        """The value of white: 255 or 65535."""
        return int(np.iinfo(self.rgb.dtype).max)

    @cached_property
    def colours(self) -> Colours:
        return Colours.of(self.profile, self.origin.coding)

    @property
    def see_through(self) -> bool:
        """Whether anything is transparent."""
        return self.alpha is not None and bool((self.alpha < self.peak).any())

    def tensor(self) -> "Tensor":
        """(1, 3, H, W) in [0, 1], in the photo's own colours; what is transparent shows white."""
        picture = self._scaled(self.rgb)
        if not self.see_through:
            return picture
        opacity = self.opacity()
        return picture * opacity + 1 - opacity

    def opacity(self) -> "Tensor":
        """(1, 1, H, W) in [0, 1]; all ones where nothing is transparent."""
        if self.alpha is None:
            import torch

            return torch.ones(1, 1, *self.rgb.shape[:2])
        return self._scaled(self.alpha[..., None])

    def _scaled(self, values: np.ndarray) -> "Tensor":
        import torch

        may_stop()
        return torch.from_numpy(values.astype(np.float32)).permute(2, 0, 1)[None] / self.peak

    def cropped(self, box: Pixels) -> "Photo":
        """The part inside a box; its pixels are a view of this photo's own."""
        left, top, right, bottom = box
        alpha = None if self.alpha is None else self.alpha[top:bottom, left:right]
        return replace(self, rgb=self.rgb[top:bottom, left:right], alpha=alpha)

    def with_part(self, box: Pixels, part: "Photo") -> "Photo":
        """This photo with the pixels inside a box replaced by those of `part`."""
        left, top, right, bottom = box
        rgb, alpha = self.rgb.copy(), self.alpha
        rgb[top:bottom, left:right] = part.rgb
        if alpha is not None and part.alpha is not None:
            alpha = alpha.copy()
            alpha[top:bottom, left:right] = part.alpha
        return replace(self, rgb=rgb, alpha=alpha)

    def painted(self, picture: "Tensor", touched: "Tensor", opacity: "Tensor | None" = None) -> "Photo":
        """This photo with `picture` (1, 3, H, W), as `tensor()` shows it, where `touched` (1, 1, H, W) is
        1; all other pixels are kept as they are. `opacity` (1, 1, H, W) is that of the picture."""
        may_stop()
        where = touched[0, 0].cpu().numpy() > 0.5
        if self.alpha is None or opacity is None or not self.see_through:
            return replace(self, rgb=np.where(where[..., None], self._rounded(picture), self.rgb))
        colour = (picture - (1 - opacity)) / opacity.clamp(min=1 / self.peak)
        rgb = np.where(where[..., None], self._rounded(colour), self.rgb)
        return replace(self, rgb=rgb, alpha=np.where(where, self._rounded(opacity)[..., 0], self.alpha))

    def _rounded(self, picture: "Tensor") -> np.ndarray:
        values = (picture[0].clamp(0, 1) * self.peak).round().permute(1, 2, 0).cpu().numpy()
        if self.origin.grey and values.shape[-1] == 3:
            values = np.repeat(values.mean(-1, keepdims=True).round(), 3, axis=-1)
        return values.astype(self.rgb.dtype)

    def small(self, size: tuple[int, int]) -> "Tensor":
        """The photo at `size` (width, height) as models see it: (1, 3, h, w) in [0, 1], sRGB."""
        return self.colours.to_srgb(resize(self._reduced(size).tensor(), size))

    def _reduced(self, size: tuple[int, int]) -> "Photo":
        """This photo at no less than twice `size` where it is far larger, so that little memory is taken."""
        factor = min(mine // (2 * wanted) for mine, wanted in zip(self.size, size, strict=True))
        if factor < 2 or self.see_through:
            return self
        import cv2

        smaller = (self.size[0] // factor, self.size[1] // factor)
        return replace(self, rgb=cv2.resize(self.rgb, smaller, interpolation=cv2.INTER_AREA), alpha=None)

    def displayed(self, longest: int | None = None) -> np.ndarray:
        """(H, W, 3) uint8 in sRGB, for contact sheets and screens; its longer side at most `longest`."""
        return to_bytes(self.small(at_most(self.size, longest or max(self.size))))
