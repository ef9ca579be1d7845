"""New colours in old pixels: the ways in which an object's pixels can take them on."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from realedit.appearance.dichromatic import (
    body_colours,
    has_two_colours,
    match_body_colours,
    may_have_two_shades,
    replace_body_colours,
    shows_body_colours,
)
from realedit.appearance.highlights import has_highlights, remove_highlights


@dataclass(frozen=True, eq=False)
class Recolouring:
    """How an object's pixels take on new `colours` (n, 3): with body colours `new_colours` (k, 3) for `old_colours`;
    by the map between the distributions of colour where the object's body colours cannot be told (None).
    `inexpressible`: its pixels cannot show what is new, a pattern on a plain object, or a pattern or material alone
    where the colours are those that it has. `matte`: it loses its highlights too. `pattern`: what is lacking is a
    pattern of two paints, and the photo says how the light falls on it."""

    colours: Tensor
    old_colours: Tensor | None = None
    new_colours: Tensor | None = None
    inexpressible: bool = False
    matte: bool = False
    pattern: bool = False

    def apply(self, picture: Tensor, opacity: Tensor) -> Tensor:
        """A picture (1, 3, H, W) recoloured for an object that covers its pixels by `opacity` (1, 1, H, W)."""
        if self.old_colours is None or self.new_colours is None:
            return recolour(picture, opacity, self.colours)
        painted = replace_body_colours(picture, self.old_colours, self.new_colours)
        return remove_highlights(painted, opacity) if self.matte else painted

    def converted(self, convert: Callable[[Tensor], Tensor]) -> "Recolouring":
        """The same in other colours, to which `convert` takes pictures (1, 3, H, W)."""

        def rows(colours: Tensor) -> Tensor:
            return convert(colours.T[None, :, None])[0, :, 0].T

        old, new = (None if paints is None else rows(paints) for paints in (self.old_colours, self.new_colours))
        return replace(self, colours=rows(self.colours), old_colours=old, new_colours=new)


def recolourings(own: Tensor, colours: Tensor, matte: bool = False) -> list[Recolouring]:
    """How an object whose pixels are `own` (n, 3) can take on `colours` (n, 3), the likeliest way first; where it gets
    one paint all over, `matte` or with the highlights that it has. A pattern
    stays where the new look clearly has one, unless that is another in the same colours, to be drawn on plain ground.
    Else it goes; or it stays after all, since a pale one is hard to see."""
    old = body_colours(own) if len(own) and len(colours) else None
    if old is None:
        return [Recolouring(colours)]
    pattern = has_two_colours(colours) and not has_highlights(colours)  # a highlight is none
    lacking = (shows_body_colours(old, colours) and not matte) or (pattern and len(old) == 1)
    new_pattern = pattern and lacking and (len(old) == 2 or not may_have_two_shades(own))
    plain = Recolouring(colours, old, colours.mean(0).expand_as(old), lacking, matte, new_pattern)
    if len(old) == 1:
        return [plain]
    stays = Recolouring(colours, old, match_body_colours(old, colours), lacking, pattern=new_pattern)
    if pattern:
        return [stays, plain] if lacking else [stays]
    return [plain, stays]


def recolour(picture: Tensor, opacity: Tensor, colours: Tensor) -> Tensor:
    """The colours of a picture (1, 3, H, W) moved so that those of an object, of this `opacity` (1, 1, H, W),
    take on the distribution of `colours` (n, 3): the linear map of least effort between their means and
    covariances (Pitie and Kokaram 2007). Shading and pattern go along."""
    inside = opacity[0, 0] > 0.5
    own = picture[0][:, inside].T
    if len(own) < 2 or len(colours) < 2:
        return picture
    a, b = _covariance(own), _covariance(colours)
    root = _power(a, 0.5)
    undo = _power(a, -0.5)
    transform = undo @ _power(root @ b @ root, 0.5) @ undo
    moved = (picture[0].flatten(1).T - own.mean(0)) @ transform + colours.mean(0)
    return moved.T.reshape(picture.shape).clamp(0, 1)


def _covariance(values: Tensor) -> Tensor:
    centred = values - values.mean(0)
    return centred.T @ centred / len(values) + 1e-4 * torch.eye(3)


def _power(matrix: Tensor, exponent: float) -> Tensor:
    """Of a symmetric positive matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp(min=1e-8) ** exponent) @ vectors.T
