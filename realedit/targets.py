"""Where a user may send an object, and how large it may become. No torch."""

from inversion.errors import EditError
from realedit.placement import Place, Placement, Point


def shifted(name: str, place: Place, to: Point | None, by: Point | None, scale: float) -> Placement:
    """An object's centre `to` a point or `by` a shift, in fractions of the photo.

    Raises:
        EditError: its centre would leave the photo.
    """
    centre, shift = place.centre, by or (0.0, 0.0)
    target = to if to is not None else (centre[0] + shift[0], centre[1] + shift[1])
    if not all(0 <= v <= 1 for v in target):
        raise EditError(
            f'"{name}" is at ({centre[0]:.2f}, {centre[1]:.2f}); moved by '
            f"({shift[0]:g}, {shift[1]:g}) its centre would leave the photo"
        )
    return Placement(centre, target, scale)


def check_target(verb: str, to: Point | None, by: Point | None) -> None:
    """Refuse two targets, none, and one outside the photo."""
    if (to is None) == (by is None):
        raise EditError(f"a {verb} needs either a target (to) or a shift (by), not both")
    if to is not None and not all(0 <= v <= 1 for v in to):
        raise EditError(f"the target {to} lies outside the photo; give fractions from 0 to 1")


def check_scale(scale: float) -> None:
    """Refuse sizes that no edit can mean."""
    if not 0.05 <= scale <= 20:
        raise EditError(f"scale {scale:g} is not possible; give a factor from 0.05 to 20")
