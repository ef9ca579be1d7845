"""Between a photo's own colours and sRGB, which is what models see."""

import io
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageCms

from realedit.files.signal_coding import SignalCoding

if TYPE_CHECKING:
    from torch import Tensor

ALIKE_LEVELS = 2  # levels of 255: profiles that differ by no more are the same


@dataclass(frozen=True, eq=False)
class Colours:
    """A pair of colour transforms; None for photos that are in sRGB, which are never converted. `white` is the photo's
    value of diffuse white: in a photo of high dynamic range less than 1, and what is brighter is seen as white."""

    there: ImageCms.ImageCmsTransform | None = None
    back: ImageCms.ImageCmsTransform | None = None
    white: float = 1.0

    @classmethod
    def of(cls, profile: bytes | None, coding: SignalCoding | None = None) -> "Colours":
        """The colours of a signal coding, else of an ICC profile; those of one that is unusable, or not of RGB, are
        taken as sRGB."""
        if coding is not None:
            return replace(_colours(coding.profile_to_white), white=coding.white)
        return _colours(profile) if profile else cls()

    def to_srgb(self, picture: "Tensor") -> "Tensor":
        """(1, 3, H, W) in [0, 1] in the photo's colours, as sRGB. With a profile, to 8 bits."""
        return _applied(self.there, picture if self.white == 1 else picture / self.white)

    def from_srgb(self, picture: "Tensor") -> "Tensor":
        """(1, 3, H, W) in sRGB, in the photo's colours."""
        seen = _applied(self.back, picture)
        return seen if self.white == 1 else seen * self.white


@lru_cache(maxsize=8)
def _colours(profile: bytes) -> Colours:
    srgb = ImageCms.createProfile("sRGB")
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        there = ImageCms.buildTransform(own, srgb, "RGB", "RGB", intent)
        back = ImageCms.buildTransform(srgb, own, "RGB", "RGB", intent)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return Colours()
    samples = np.stack(np.meshgrid(*[np.arange(0, 256, 51, dtype=np.uint8)] * 3), -1).reshape(6, 36, 3)
    seen = np.asarray(ImageCms.applyTransform(Image.fromarray(samples), there))
    if np.abs(seen.astype(int) - samples).max() <= ALIKE_LEVELS:
        return Colours()
    return Colours(there, back)


def _applied(transform: ImageCms.ImageCmsTransform | None, picture: "Tensor") -> "Tensor":
    if transform is None:
        return picture
    import torch

    levels = (picture[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    image = ImageCms.applyTransform(Image.fromarray(np.ascontiguousarray(levels)), transform)
    assert image is not None  # only None when transforming in place
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None].float() / 255
