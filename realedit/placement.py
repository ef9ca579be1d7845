"""Where an object's pixels go: a similarity of the photo's plane. No torch."""

from dataclasses import dataclass

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Placement:
    """Scale by `scale` about `anchor`, then shift so that `anchor` lands on `target`.

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
class Place:
    """Where an object is: its centre of mass, the box around it, and the middle of what it stands on, if known."""

    centre: Point
    box: Box
    base: Point | None = None

    @property
    def foot(self) -> Point:
        """The middle of its lower edge, on which it stands."""
        return (self.box[0] + self.box[2]) / 2, self.box[3]

    @property
    def stands(self) -> Point:
        """The middle of what it stands on, or else its foot."""
        return self.base or self.foot


STAY = Placement((0.5, 0.5), (0.5, 0.5))
