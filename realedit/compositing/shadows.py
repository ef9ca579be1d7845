"""The shadows that objects cast: what beside them is evenly darker than the scene without them, and whose it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from realedit.geometry.camera import Camera
from realedit.geometry.object_pose import Silhouette, fit_primitive
from realedit.images import box_blur
from realedit.morphology import components, dilate, touching

LEAST_SHADE = 0.94  # of the plate's brightness: what is darker beside the object is its shadow
VISIBLE_SHADE = 0.97  # a shadow lighter than this is not worth touching pixels for
DEEPEST_SHADE = 0.25  # a shadow never leaves less light than this
SHADOW_TINT = 0.2  # a shadow darkens red, green and blue alike; a larger difference is another surface
SHADOW_EDGE_WIDTH = 0.015  # of the shorter side: how wide the object's blurred edge is at most
TOUCHING_PIXELS = 2  # pixels: a shadow this near to an object touches it
SEAM_PIXELS = 2  # pixels: parts of a shadow with less than twice this between them are one
# Shadows that say whose another one is: how large they must be against it, and how far it must lie against them.
LEAST_EVIDENCE, OPPOSITE_SHARE = 0.75, 0.5


def cast_shadows(
    photo: Tensor, plate: Tensor, sources: Sequence[Tensor], staying: Sequence[Tensor] = ()
) -> list[Tensor]:
    """The shadow (1, 1, H, W) of each of the `sources`, masks (1, 1, H, W), as a factor: what touches the object in the
    photo (1, 3, H, W) and is evenly darker than the `plate`, the scene without it.

    Of what touches several of them, or of the `staying` objects, of whose shadows the plate may have lost some too,
    none takes what lies on its bright side while another could cast it. Which side that is, their other shadows tell,
    if there is enough of these."""
    light, dark = _darkened(photo, plate)
    own = [_inside(mask) for mask in (*sources, *staying) if mask.any()]
    found = [_pieces(dark & ~_any(own[:k] + own[k + 1 :], dark), mask) for k, mask in enumerate(own)]
    casters = [_Caster(mask) for mask in own]
    away = _light_direction(found, casters)
    cast = [_any([p for p in pieces if not _of_another(p, k, casters, away)], dark) for k, pieces in enumerate(found)]
    shadows = iter(cast)  # an empty mask casts none, and has no place among the casters
    return [_as_factor(light, next(shadows) if source.any() else _any([], dark), source) for source in sources]


@dataclass(frozen=True, eq=False)
class _Caster:
    """Something that may cast a shadow, by its mask (H, W)."""

    mask: np.ndarray

    @cached_property
    def near(self) -> np.ndarray:
        """What touches it (H, W)."""
        return np.asarray(ndimage.binary_dilation(self.mask, iterations=TOUCHING_PIXELS))

    @cached_property
    def stands(self) -> np.ndarray:
        """The middle (y, x) of what it stands on, in pixels."""
        outline = Silhouette.of(torch.from_numpy(self.mask)[None, None])
        x, y = fit_primitive(outline, Camera((self.mask.shape[1], self.mask.shape[0]))).base
        return np.array((y * self.mask.shape[0], x * self.mask.shape[1]))

    def touches(self, piece: np.ndarray) -> bool:
        return bool((self.near & piece).any())

    def towards(self, piece: np.ndarray) -> np.ndarray:
        """The direction (y, x), of length 1, in which a piece of shadow lies."""
        way = np.array(ndimage.center_of_mass(piece)) - self.stands
        return way / max(float(np.linalg.norm(way)), 1e-6)


def _light_direction(found: Sequence[Sequence[np.ndarray]], casters: Sequence[_Caster]) -> np.ndarray:
    """The direction (y, x) away from the lamp, as the shadows say that touch one object only; 0 if none does."""
    if len(casters) < 2:
        return np.zeros(2)  # nobody else could cast any
    sure = [(k, p) for k, pieces in enumerate(found) for p in pieces if sum(c.touches(p) for c in casters) == 1]
    return sum((casters[k].towards(piece) * piece.sum() for k, piece in sure), np.zeros(2))


def _of_another(piece: np.ndarray, k: int, casters: Sequence[_Caster], away: np.ndarray) -> bool:
    """Whether a piece of shadow that touches caster `k` lies on its bright side, and on the dark side of another."""
    said = float(np.linalg.norm(away))
    others = [c for j, c in enumerate(casters) if j != k and c.touches(piece)]
    if not others or said < LEAST_EVIDENCE * piece.sum():
        return False
    along = max(float(c.towards(piece) @ away) for c in others)
    return float(casters[k].towards(piece) @ away) < -OPPOSITE_SHARE * said and along > 0


def _darkened(photo: Tensor, plate: Tensor) -> tuple[Tensor, np.ndarray]:
    """How much light there is beside the plate's (1, 1, H, W), and where it is evenly less (H, W)."""
    light, tint = light_and_tint(photo, plate)
    return light, ((light < LEAST_SHADE) & (tint < SHADOW_TINT))[0, 0].numpy()


def light_and_tint(photo: Tensor, plate: Tensor) -> tuple[Tensor, Tensor]:
    """How much light there is in a photo (1, 3, H, W) beside the plate's, and how much that differs between red, green
    and blue, (1, 1, H, W) both."""
    light = _light_per_channel(photo, plate)
    return light.mean(1, keepdim=True), light.amax(1, keepdim=True) - light.amin(1, keepdim=True)


def light_left(photo: Tensor, plate: Tensor) -> Tensor:
    """How much light there is in a photo (1, 3, H, W) beside the plate's (1, 1, H, W)."""
    return light_and_tint(photo, plate)[0]


def _light_per_channel(photo: Tensor, plate: Tensor) -> Tensor:
    return box_blur((photo.clamp(min=0.02) / plate.clamp(min=0.02)).clamp(max=2))


def _pieces(dark: np.ndarray, source: np.ndarray) -> list[np.ndarray]:
    """The connected dark parts (H, W) beside an object that touch it, but for its edge, whose colours are mixed; with
    what only a seam parts from them: where a shadow goes on from the ground to a wall, the plate is least sure."""
    near = ndimage.binary_dilation(source, iterations=TOUCHING_PIXELS)
    parts = np.pad(ndimage.binary_opening(dark | near), SEAM_PIXELS)  # closing would take off what meets the frame
    whole = ndimage.binary_closing(parts, iterations=SEAM_PIXELS)[SEAM_PIXELS:-SEAM_PIXELS, SEAM_PIXELS:-SEAM_PIXELS]
    return components(touching(whole, near) & dark & ~source)


def _as_factor(light: Tensor, cast: np.ndarray, source: Tensor) -> Tensor:
    shadow = torch.where(torch.from_numpy(cast), light.clamp(DEEPEST_SHADE, 1), torch.ones_like(light))
    # The object's blurred edge says nothing of the light beside it, so it is passed over too.
    return behind_too(shadow, dilate(source, SHADOW_EDGE_WIDTH))


def behind_too(shadow: Tensor, source: Tensor) -> Tensor:
    """A shadow (1, 1, H, W) that goes on behind an object, a mask (1, 1, H, W), as at the nearest edge: dark at its
    foot, none at its top."""
    _, (rows, columns) = ndimage.distance_transform_edt(_inside(source), return_indices=True)
    return box_blur(shadow[:, :, torch.from_numpy(rows), torch.from_numpy(columns)])


def _inside(mask: Tensor) -> np.ndarray:
    return mask[0, 0].numpy() > 0.5


def _any(masks: Sequence[np.ndarray], like: np.ndarray) -> np.ndarray:
    return np.any(np.stack([np.zeros_like(like), *masks]), axis=0)
