"""How much each pixel of a mask's file belongs to the object, whichever program wrote it."""

import numpy as np

from inversion.errors import EditError
from inversion.interruption import may_stop
from realedit.files.photo import Photo

VARYING = 0.1  # of full opacity: transparency that differs by more is the mask
SHOWN = 0.01  # of the picture: a colour that covers less is a mixed edge
COLOURFUL = 0.2  # of white: how far apart the channels of a colour are, at least, that is no grey
COLOUR_BITS = 3  # of each channel, by which colours are told apart
FEW_SHADES, CLOSE_SHADES = 3, 64  # so many shades or more, less than so many steps of the file apart, are no mask


def mask_levels(picture: Photo) -> np.ndarray:
    """How much of each pixel the object has, (H, W) float32 in [0, 1]: the transparency where that varies (cut-outs,
    layers of paint), else the brightness, from the darkest that the file has to the brightest (so labels 0 and 1, and
    8 bits stored in 16, count as black and white). Where nothing varies, 0 or 1 throughout.

    Raises:
        EditError: it is a picture in several colours, or regions by number; the message says what it is, not whose.
    """
    if picture.alpha is not None and float(np.ptp(picture.alpha)) > VARYING * picture.peak:
        return _spread(picture.alpha, picture.peak)
    may_stop()
    colours = _main_colours(picture)
    may_stop()
    if len(colours) > 2 and np.ptp(colours, axis=1).max() > COLOURFUL * picture.peak:
        raise EditError(f"shows a picture in {len(colours)} colours")
    brightness = picture.rgb.sum(-1, dtype=np.uint32)
    may_stop()
    shades = np.flatnonzero(np.bincount(brightness.ravel()))
    if len(shades) >= FEW_SHADES and np.ptp(shades) < 3 * CLOSE_SHADES:
        raise EditError(f"has {len(shades)} shades of nearly one brightness, as regions by number have")
    return _spread(brightness, 3 * picture.peak)


def _spread(values: np.ndarray, peak: int) -> np.ndarray:
    """Values from the least to the greatest, as 0 to 1; values that are all the same as what they are nearest to."""
    low, high = int(values.min()), int(values.max())
    if low == high:
        return np.full(values.shape, float(2 * low > peak), np.float32)
    return ((values.astype(np.float32) - low) / (high - low)).astype(np.float32)


def _main_colours(picture: Photo) -> np.ndarray:
    """The colours (n, 3) that cover more than the edges do, coarsely."""
    shift = 8 * picture.rgb.itemsize - COLOUR_BITS
    coarse = (picture.rgb >> shift).astype(np.uint32)
    code = (coarse[..., 0] << 2 * COLOUR_BITS) | (coarse[..., 1] << COLOUR_BITS) | coarse[..., 2]
    count = np.bincount(code.ravel(), minlength=1 << 3 * COLOUR_BITS)
    found = np.flatnonzero(count > SHOWN * code.size)
    lowest = (1 << COLOUR_BITS) - 1
    channels = [(found >> k * COLOUR_BITS) & lowest for k in (2, 1, 0)]
    return np.stack(channels, axis=-1) << shift
