"""New looks: put on in the way that fits the new words better.

All ways bring the look's own colours. The photo's pixels can take them on: that keeps every edge, shade and
pattern of the photo. A new pattern goes from the model's picture into the photo's light. Or the model's picture is
shown as it is: it alone has a material or a form that was not there before. Where this is not said by colours
alone, it is read off the model: from what each of two pictures says of the new words against the old.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from inversion.model import DiffusionModel
from inversion.text import Embedding
from realedit.appearance.detail_transfer import apply_colours, transfer_detail
from realedit.appearance.pattern_transfer import transfer_pattern
from realedit.appearance.recolouring import Recolouring, recolour, recolourings
from realedit.appearance.target_colours import TargetColours
from realedit.compositing.composite import Composite
from realedit.sampling.classifier import classifier_score
from realedit.settings import Settings

if TYPE_CHECKING:
    from realedit.editing.conditioning import SamplingPlan

# Of the drawn picture's fit, from which the recoloured photo is preferred. The model likes what it drew itself; but
# patterns, materials and what makes up another object's look the photo's pixels have at best by chance. Without its
# highlights, an object is as matt as any.
AS_GOOD, AS_GOOD_LACKING, AS_GOOD_BORROWED, AS_GOOD_DULLED = 0.6, 0.95, 1.1, 0.3


@dataclass(frozen=True, eq=False)
class AppearanceChange:
    """How subject number `k` gets its look: as its own pixels in new colours, or as the model has `drawn` it in
    these."""

    k: int
    recolouring: Recolouring
    drawn: bool

    def put_on(self, rough: Tensor, stage: Composite, generated: Tensor, small: Composite) -> Tensor:
        """The rough result of `stage` (1, 3, H, W) with the subject in its new look; `small` is the stage
        at the size of the model's picture `generated`."""
        opacity, own = stage.opacities[self.k], stage.own[self.k]
        if self.drawn and self.recolouring.pattern:
            return apply_colours(rough, opacity, own, transfer_pattern(own, opacity, generated, self.recolouring))
        if self.drawn:
            picture = recolour(generated, small.targets[self.k], self.recolouring.colours)
            return apply_colours(rough, opacity, own, transfer_detail(own, opacity, picture, small.own[self.k]))
        return apply_colours(rough, opacity, own, self.recolouring.apply(own, opacity))


def choose_appearances(
    model: DiffusionModel, script: "SamplingPlan", stage: Composite, generated: Tensor, settings: Settings
) -> list[AppearanceChange]:
    """For every subject that gets a new look the way that fits. `generated` (1, 3, h, w) is what the model
    drew."""

    schedule = model.schedule(settings.steps)

    def fit_of(way: AppearanceChange) -> float:
        picture = way.put_on(stage.image, stage, generated, stage)
        return classifier_score(model, picture, stage.targets[way.k], script.words, schedule, settings)

    looks = []
    for k in script.dressed:
        recolouring = script.recolourings.get(k) or Recolouring(stage.colours(k, generated))
        look = AppearanceChange(k, recolouring, drawn=k in script.drawn)
        if look.drawn and not recolouring.pattern:
            recoloured = AppearanceChange(k, recolouring, drawn=False)
            drawn, kept = fit_of(look), fit_of(recoloured)
            enough = AS_GOOD_BORROWED if k in script.borrowed else _as_good(recolouring)
            look = recoloured if kept - drawn >= (enough - 1) * abs(drawn) else look
        looks.append(look)
    return looks


def _as_good(recolouring: Recolouring) -> float:
    if recolouring.inexpressible:
        return AS_GOOD_LACKING
    return AS_GOOD_DULLED if recolouring.matte else AS_GOOD


MUCH_BETTER = 0.05  # in fit: much better


def _recoloured(
    model: DiffusionModel,
    stage: Composite,
    colours: Mapping[int, TargetColours],
    words: tuple[Embedding, Embedding],
    drawn: list[int],
    settings: Settings,
) -> tuple[dict[int, Recolouring], Tensor]:
    """How each subject takes on its new colours, and the rough result (1, 3, h, w) in them: in the likeliest way,
    unless another fits the words much better, where the model knows them."""
    found, rough = {}, stage.image
    schedule = model.schedule(settings.steps)
    for k, wanted in colours.items():
        own, opacity = stage.own[k], stage.opacities[k]
        ways = recolourings(stage.colours(k, own), wanted.colours, wanted.matte)
        pictures = [apply_colours(rough, opacity, own, way.apply(own, opacity)) for way in ways]
        best = 0
        if k in drawn and len(ways) > 1:
            fits = [
                classifier_score(model, picture, stage.targets[k], words, schedule, settings) for picture in pictures
            ]
            best = fits.index(max(fits)) if max(fits) > fits[0] + MUCH_BETTER else 0
        found[k], rough = ways[best], pictures[best]
    return found, rough
