"""An object of a photo, and where it is."""

from dataclasses import dataclass, replace

from torch import Tensor

from inversion.errors import EditError
from realedit.images import resize


@dataclass(frozen=True, eq=False)
class LocatedObject:
    """An object that a `phrase` names: its `tokens` in the photo's prompt (none where the model does not know it), its
    `mask` (1, 1, H, W), 0 or 1, and whether the user said where it is rather than the words."""

    phrase: str
    tokens: tuple[int, ...]
    mask: Tensor
    from_user: bool = False

    def with_mask(self, mask: Tensor) -> "LocatedObject":
        """The same object in another picture, or seen better."""
        return replace(self, mask=mask)

    def at_size(self, size: tuple[int, int]) -> "LocatedObject":
        """As seen in a smaller picture of its photo, of this `size` (width, height).

        Raises:
            EditError: nothing is left of it there.
        """
        small = (resize(self.mask, size) > 0.5).float()
        if not small.any():
            raise EditError("the object is too small to be seen at the model's size; mark a larger area")
        return self.with_mask(small)
