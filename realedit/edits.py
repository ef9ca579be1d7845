"""What a person wants changed, as values that can be written down. No torch, no model.

Every edit of this file ends as one `Placement`: where the object's pixels go. That is all the rest
of the program needs to know of a move or a resize.
"""

from dataclasses import dataclass

from inversion.errors import EditError

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Placement:
    """A similarity: scale by `scale` about `anchor`, then shift so that `anchor` lands on `target`.

    Points are fractions (x, y) of the photo."""

    anchor: Point
    target: Point
    scale: float = 1.0

    @property
    def identity(self) -> bool:
        return self.anchor == self.target and self.scale == 1.0

    def __call__(self, point: Point) -> Point:
        """Where a point of the photo goes."""
        x, y = ((p - a) * self.scale + t for p, a, t in zip(point, self.anchor, self.target, strict=True))
        return x, y

    def inverse(self, point: Point) -> Point:
        """Where a point of the result came from."""
        x, y = ((p - t) / self.scale + a for p, a, t in zip(point, self.anchor, self.target, strict=True))
        return x, y


@dataclass(frozen=True)
class Move:
    """Relocate an object: its centre goes `to` a point, or is shifted `by` fractions of the photo.

    With `scale` it is enlarged or shrunk on the way, about its centre."""

    object: str
    to: Point | None = None
    by: Point | None = None
    scale: float = 1.0

    def __post_init__(self) -> None:
        if (self.to is None) == (self.by is None):
            raise EditError("a move needs either a target (to) or a shift (by), not both")
        _check_scale(self.scale)
        if self.to is not None and not all(0 <= v <= 1 for v in self.to):
            raise EditError(f"the target {self.to} lies outside the photo; give fractions from 0 to 1")

    def placement(self, centre: Point, box: Box) -> Placement:
        """Where the object goes, given its centre and box in the photo.

        Raises:
            EditError: its centre would leave the photo.
        """
        by = self.by or (0.0, 0.0)
        target = self.to if self.to is not None else (centre[0] + by[0], centre[1] + by[1])
        if not all(0 <= v <= 1 for v in target):
            raise EditError(
                f'"{self.object}" is at ({centre[0]:.2f}, {centre[1]:.2f}); moved by '
                f"({by[0]:g}, {by[1]:g}) its centre would leave the photo"
            )
        return Placement(centre, target, self.scale)


@dataclass(frozen=True)
class Resize:
    """Enlarge or shrink an object where it stands: the middle of its lower edge stays in place."""

    object: str
    scale: float

    def __post_init__(self) -> None:
        _check_scale(self.scale)

    def placement(self, centre: Point, box: Box) -> Placement:
        foot = ((box[0] + box[2]) / 2, box[3])
        return Placement(foot, foot, self.scale)


Edit = Move | Resize


def _check_scale(scale: float) -> None:
    if not 0.05 <= scale <= 20:
        raise EditError(f"scale {scale:g} is not possible; give a factor from 0.05 to 20")
