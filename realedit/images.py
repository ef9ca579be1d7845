"""Pictures as tensors: their ranges and sizes, in one place. Torch is imported where it is used: photos are read and
checked without it."""

from typing import TYPE_CHECKING

import numpy as np

from inversion.interruption import may_stop

if TYPE_CHECKING:
    from torch import Tensor

# The maximally flat half-band low-pass (Deslauriers and Dubuc 1989): it lets half of the amplitude through at
# a quarter of the sampling rate, all of it at rate 0, and nothing at half of the sampling rate.
HALF_BAND = np.array([-1, 0, 9, 16, 9, 0, -1], np.float32) / 32
WIDEST_BLUR = 40.0  # pixels: over wider ones an image is averaged in a smaller image


def resize(image: "Tensor", size: tuple[int, int]) -> "Tensor":
    """(B, C, H, W) to `size` (width, height), antialiased; the same tensor if it has that size."""
    if image.shape[-2:] == (size[1], size[0]):
        return image
    may_stop()
    from torch.nn import functional as F

    return F.interpolate(image, size=(size[1], size[0]), mode="bicubic", antialias=True, align_corners=False).clamp(
        0, 1
    )


def working_size(size: tuple[int, int], native: int, multiple: int) -> tuple[int, int]:
    """The (width, height) at which a model with this native size sees a photo: the same aspect and
    about the native area, sides in whole multiples."""
    factor = native / (size[0] * size[1]) ** 0.5
    width, height = (max(multiple, round(side * factor / multiple) * multiple) for side in size)
    return width, height


def at_most(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """A (width, height) of the same aspect, no side of which is above `longest`."""
    factor = min(1.0, longest / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def to_bytes(image: "Tensor") -> np.ndarray:
    """(1, 3, H, W) in [0, 1] to (H, W, 3) uint8."""
    import torch

    return (image[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()


def box_blur(image: "Tensor") -> "Tensor":
    """An image (1, C, H, W) averaged over 3x3 pixels."""
    from torch.nn import functional as F

    return F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, stride=1)


def gaussian_blur(image: "Tensor", across: float, down: float) -> "Tensor":
    """An image (H, W) averaged over a Gaussian of these widths in pixels; all is 0 outside it. Over a wide one in a
    smaller image, to a few thousandths of the largest value."""
    import cv2
    import torch

    may_stop()
    rows, columns = (max(1, int(width / WIDEST_BLUR)) for width in (down, across))
    if rows == columns == 1:
        blurred = cv2.GaussianBlur(image.numpy(), (0, 0), across, sigmaY=down, borderType=cv2.BORDER_CONSTANT)
        return torch.from_numpy(blurred)
    height, width = image.shape
    padded = cv2.copyMakeBorder(image.numpy(), 0, -height % rows, 0, -width % columns, cv2.BORDER_CONSTANT)
    size = padded.shape[1], padded.shape[0]
    small = cv2.resize(padded, (size[0] // columns, size[1] // rows), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), across / columns, sigmaY=down / rows, borderType=cv2.BORDER_CONSTANT)
    return torch.from_numpy(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)[:height, :width].copy())


def fine_detail(pixels: np.ndarray) -> np.ndarray:
    """The energy (H, W) above a quarter of the sampling rate, across or down, of pixels (H, W, C) in [0, 1]: the square
    of what the half-band low-pass takes away, averaged over the channels."""
    import cv2

    may_stop()
    image = np.ascontiguousarray(pixels, np.float32)
    low = cv2.sepFilter2D(image, -1, HALF_BAND, HALF_BAND, borderType=cv2.BORDER_REFLECT_101)
    return np.square(image - low).mean(2)
