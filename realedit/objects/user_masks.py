"""Masks that the user hands over as files."""

from pathlib import Path

from torch import Tensor

from inversion.errors import PhotoError
from realedit.files.reading import load_photo
from realedit.images import resize


def load_mask(path: Path, size: tuple[int, int]) -> Tensor:
    """A mask file as (1, 1, H, W), 1 where it is brighter than half, at the photo's size."""
    mask = load_photo(path).tensor().mean(1, keepdim=True)
    if mask.shape[-2:] != (size[1], size[0]):
        mask = resize(mask, size)
    mask = (mask > 0.5).float()
    if not mask.any() or mask.all():
        raise PhotoError(
            f"the mask {path} is {'all' if mask.any() else 'nowhere'} white; paint the object white on black"
        )
    return mask
