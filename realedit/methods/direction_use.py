"""A direction as an engine finds it: in a folder, and of the model that draws."""

from pathlib import Path

from realedit.methods.direction import Direction, load_direction
from realedit.sampling.session import Session


def direction_of(session: Session, folder: str) -> Direction:
    """The direction in a folder.

    Raises:
        EditError: there is none, it is damaged, or it belongs to another model or layer.
    """
    direction = load_direction(Path(folder))
    direction.require(session.model)
    return direction
