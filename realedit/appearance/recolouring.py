"""New colours in old pixels: the ways in which an object's pixels can take them on."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from realedit.appearance.dichromatic import kept, paints_of, paired, patterned, repaint, uneven
from realedit.appearance.highlights import glossy, matt


@dataclass(frozen=True, eq=False)
class Recolouring:
    """How an object's pixels take on new `colours` (n, 3): with `new` paints (k, 3) for `old` ones; by the map between
    the distributions of colour where the object's paints cannot be told (None). `lacking`: its pixels cannot show what
    is new, a pattern on a plain object, or a pattern or material alone where the colours are those that it has.
    `dulled`: it loses its highlights too. `pattern`: what is lacking is a pattern of two paints, and the photo says how
    the light falls on it."""

    colours: Tensor
    old: Tensor | None = None
    new: Tensor | None = None
    lacking: bool = False
    dulled: bool = False
    pattern: bool = False

    def of(self, picture: Tensor, opacity: Tensor) -> Tensor:
        """A picture (1, 3, H, W) recoloured for an object that covers its pixels by `opacity` (1, 1, H, W)."""
        if self.old is None or self.new is None:
            return recolour(picture, opacity, self.colours)
        painted = repaint(picture, self.old, self.new)
        return matt(painted, opacity) if self.dulled else painted

    def converted(self, convert: Callable[[Tensor], Tensor]) -> "Recolouring":
        """The same in other colours, to which `convert` takes pictures (1, 3, H, W)."""

        def rows(colours: Tensor) -> Tensor:
            return convert(colours.T[None, :, None])[0, :, 0].T

        old, new = (None if paints is None else rows(paints) for paints in (self.old, self.new))
        return replace(self, colours=rows(self.colours), old=old, new=new)


def recolourings(own: Tensor, colours: Tensor, dulled: bool = False) -> list[Recolouring]:
    """How an object whose pixels are `own` (n, 3) can take on `colours` (n, 3), the likeliest way first; where it gets
    one paint all over, `dulled` or with the highlights that it has. A pattern
    stays where the new look clearly has one, unless that is another in the same colours, to be drawn on plain ground.
    Else it goes; or it stays after all, since a pale one is hard to see."""
    old = paints_of(own) if len(own) and len(colours) else None
    if old is None:
        return [Recolouring(colours)]
    pattern = patterned(colours) and not glossy(colours)  # a highlight is none
    lacking = (kept(old, colours) and not dulled) or (pattern and len(old) == 1)
    new_pattern = pattern and lacking and (len(old) == 2 or not uneven(own))
    plain = Recolouring(colours, old, colours.mean(0).expand_as(old), lacking, dulled, new_pattern)
    if len(old) == 1:
        return [plain]
    stays = Recolouring(colours, old, paired(old, colours), lacking, pattern=new_pattern)
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
