"""Which edits may be asked for together. No torch."""

from collections.abc import Sequence

from inversion.errors import EditError
from realedit.edits import Edit, Remove


def check_together(edits: Sequence[Edit]) -> None:
    """Refuse edits that contradict each other.

    Raises:
        EditError: two of them send one object to different places, or give it two looks, or one
            removes what another changes.
    """
    if not edits:
        raise EditError("no edit is given; name at least one")
    for phrase in dict.fromkeys(p for e in edits for p in e.objects):
        own = [e for e in edits if phrase in e.objects]
        places = [e for e in own if e.look is None]
        looks = [e for e in own if e.look is not None]
        removed = any(isinstance(e, Remove) for e in own)
        if len(places) > 1 or len(looks) > 1 or (removed and len(own) > 1):
            names = " and ".join(type(e).__name__.lower() for e in own)
            raise EditError(f'"{phrase}" is asked to {names}, which contradict each other; keep one of them')
