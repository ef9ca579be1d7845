"""How large photos are on the page. Nothing heavy: the page is there before torch is."""

from realedit.images import at_most

VIEW_SIDE = 2048  # pixels of the longer side


def view_size(photo: tuple[int, int]) -> tuple[int, int]:
    """The (width, height) at which a photo of this one is shown."""
    return at_most(photo, VIEW_SIDE)
