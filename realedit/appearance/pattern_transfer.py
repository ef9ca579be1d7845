"""New patterns: the model says where each of two paints lies, and the photo how the light falls on them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from realedit.appearance.detail_transfer import extrapolate_interior, upsample
from realedit.appearance.dichromatic import (
    ALIKE_COLOURS,
    BRIGHTNESS_WEIGHT,
    hue_and_brightness,
    replace_by_pattern,
    two_means,
)
from realedit.appearance.highlights import remove_highlights
from realedit.appearance.recolouring import Recolouring
from realedit.images import resize
from realedit.morphology import interior

PURE_SHARE = 0.25  # of the way from one paint to the other: what lies farther off is a blend at their border
BORDER_RANGE = 0.25, 0.75  # of that way: where the border lies, so that each paint has its share
BORDER_STEEPNESS = 2.0  # how much steeper the border is than the model draws it
PATTERN_EDGE_PIXELS = 3.0  # at the model's size: an object's edge, where surroundings look like a paint


@dataclass(frozen=True, eq=False)
class _TwoColours:
    """Two paints (2, 3), the means of what shows more of the one or of the other."""

    means: Tensor

    @classmethod
    def of(cls, colours: Tensor) -> "_TwoColours":
        return cls(two_means(colours, BRIGHTNESS_WEIGHT)[0])

    def along(self, colours: Tensor) -> Tensor:
        """How far colours (n, 3) lie on the way from the first paint to the second (n)."""
        one, other = hue_and_brightness(self.means, BRIGHTNESS_WEIGHT)
        way = other - one
        return (hue_and_brightness(colours, BRIGHTNESS_WEIGHT) - one) @ way / (way @ way).clamp(min=1e-6)

    def pure(self, colours: Tensor) -> Tensor:
        """The paints as colours (n, 3) show them that are no blends."""
        along = self.along(colours)
        chosen = [colours[along <= PURE_SHARE], colours[along >= 1 - PURE_SHARE]]
        return torch.stack([c.mean(0) if len(c) else m for c, m in zip(chosen, self.means, strict=True)])

    def as_in(self, other: "_TwoColours") -> "_TwoColours":
        """In the order in which they are most like those of another."""
        apart = torch.cdist(
            hue_and_brightness(other.means, BRIGHTNESS_WEIGHT), hue_and_brightness(self.means, BRIGHTNESS_WEIGHT)
        )
        same = apart.diagonal().sum() <= apart.flip(1).diagonal().sum()
        return self if same else _TwoColours(self.means.flip(0))


def transfer_pattern(own: Tensor, opacity: Tensor, generated: Tensor, recolouring: Recolouring) -> Tensor:
    """The colours (1, 3, H, W) of an object that had its `own` (1, 3, H, W), of this `opacity` (1, 1, H, W), with the
    pattern that it has in the model's picture `generated` (1, 3, h, w), in new paints."""
    assert recolouring.old_colours is not None
    small = resize(opacity, (generated.shape[-1], generated.shape[-2]))
    if not (small > 0.5).any():
        return own
    drawn = _TwoColours.of(generated[0][:, interior((small > 0.5).float())[0, 0] > 0.5].T)
    imagined = _TwoColours.of(recolouring.colours).as_in(drawn)
    share = float((imagined.along(recolouring.colours) > 0.5).float().mean())
    along = drawn.along(extrapolate_interior(generated, small, PATTERN_EDGE_PIXELS)[0].flatten(1).T).reshape(
        small.shape
    )
    border = torch.quantile(along[small > 0.5], 1 - share).clamp(*BORDER_RANGE)
    second = upsample(((along - border) * BORDER_STEEPNESS + 0.5).clamp(0, 1), (own.shape[-1], own.shape[-2])).clamp(
        0, 1
    )
    one, other = _kept(imagined.pure(recolouring.colours), recolouring.old_colours)[:, None, :, None, None]
    one_paint = len(recolouring.old_colours) == 1  # a pale pattern looks like highlights
    plain = remove_highlights(own, opacity) if recolouring.matte and one_paint else own
    return replace_by_pattern(plain, recolouring.old_colours, torch.lerp(one, other, second))


def _kept(paints: Tensor, old: Tensor) -> Tensor:
    """Two paints (2, 3), of which the one that is most like an `old` one (k, 3) is that, if it is like it at all."""
    apart, which = torch.cdist(paints, old).min(1)
    stays = (apart < ALIKE_COLOURS) & (apart == apart.min())
    return torch.where(stays[:, None], old[which], paints)
