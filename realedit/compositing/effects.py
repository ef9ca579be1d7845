"""What objects leave of themselves beside their place: shadows, and reflections in a glossy ground."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inversion.interruption import may_stop
from realedit.compositing.reflections import reflection_mask
from realedit.compositing.shadows import VISIBLE_SHADE, cast_shadows
from realedit.images import resize


@dataclass(frozen=True, eq=False)
class Effects:
    """Of one object: its `shadow` (1, 1, H, W), as a factor of light, and where the ground shows its `reflection`
    (1, 1, H, W)."""

    shadow: Tensor
    reflection: Tensor

    @classmethod
    def none(cls, like: Tensor) -> "Effects":
        """That of an object which leaves none in a picture (1, C, H, W)."""
        return cls(torch.ones_like(like[:, :1]), torch.zeros_like(like[:, :1]))

    def visible(self) -> Tensor:
        """Where it is worth touching pixels for (1, 1, H, W)."""
        may_stop()
        return torch.maximum((self.shadow < VISIBLE_SHADE).float(), self.reflection)

    def reflected_light(self, photo: Tensor, plate: Tensor) -> Tensor:
        """What the reflection adds to the light of the `plate` (1, 3, H, W), the scene without the object."""
        may_stop()
        return self.reflection * (photo - plate * self.shadow)

    def within(self, region: Tensor) -> "Effects":
        """As far as it lies in a mask (1, 1, H, W)."""
        return Effects(torch.where(region > 0.5, self.shadow, 1.0), self.reflection * region)

    def without_shadow(self) -> "Effects":
        return replace(self, shadow=torch.ones_like(self.shadow))

    def resized(self, size: tuple[int, int]) -> "Effects":
        """In a picture of this size (width, height)."""
        return Effects(resize(self.shadow, size), resize(self.reflection, size))


def object_effects(
    photo: Tensor, plate: Tensor, sources: Sequence[Tensor], staying: Sequence[Tensor] = ()
) -> list[Effects]:
    """What each of the `sources`, masks (1, 1, H, W), leaves in a photo (1, 3, H, W), of which the `plate` (1, 3, H, W)
    is the scene without them; what the `staying` objects leave is not theirs."""
    shadows = cast_shadows(photo, plate, sources, staying)
    occupied = torch.stack([torch.zeros_like(photo[:, :1]), *sources, *staying]).amax(0)
    return [
        Effects(shadow, reflection_mask(photo, plate * shadow, source, occupied * (1 - source)))
        for source, shadow in zip(sources, shadows, strict=True)
    ]
