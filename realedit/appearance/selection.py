"""New appearances: given in the way that fits the new words better.

All ways bring the appearance's own colours. The photo's pixels can take them on: that keeps every edge, shade and
pattern of the photo. A new pattern goes from the model's picture into the photo's light. Or the model's picture is
shown as it is: it alone has a material or a form that was not there before. Where this is not said by colours
alone, it is read off the model: from what each of two pictures says of the new words against the old.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from inversion.text import Embedding
from realedit.appearance.detail_transfer import apply_colours, transfer_detail
from realedit.appearance.pattern_transfer import transfer_pattern
from realedit.appearance.recolouring import Recolouring, recolour, recolourings
from realedit.appearance.target_colours import TargetColours, sampled_colours, target_colours
from realedit.compositing.composite import Composite, PlacedObject
from realedit.compositing.scene import LayeredScene, ObjectEdit
from realedit.edits import ObjectSource
from realedit.objects.source_objects import SourceObject
from realedit.sampling.classifier import classifier_score
from realedit.sampling.prompts import phrase_with_appearance
from realedit.sampling.session import Session

MUCH_BETTER = 0.05  # in classifier score
# Of the drawn picture's score, from which the recoloured photo is preferred. The model likes what it drew itself; but
# patterns, materials and what makes up another object's look the photo's pixels have at best by chance. Without its
# highlights, an object is as matt as any.
AS_GOOD, AS_GOOD_INEXPRESSIBLE, AS_GOOD_BORROWED, AS_GOOD_MATTE = 0.6, 0.95, 1.1, 0.3


@dataclass(frozen=True, eq=False)
class AppearanceChange:
    """How one object gets its new appearance.

    `words` name it in the prompt then. `generated`: as the model draws it, rather than by its own pixels in new
    colours. `source` is the object whose appearance it takes on, if it is one's. `colours` are those that it shall
    have, None where the model has none to offer, and `recolouring` is how its pixels take them on, once that is chosen.
    """

    words: str
    generated: bool
    source: SourceObject | None
    colours: TargetColours | None
    recolouring: Recolouring | None = None

    def apply(self, image: Tensor, placed: PlacedObject, generated: Tensor, drawn: PlacedObject) -> Tensor:
        """A composite's `image` (1, 3, H, W) with the `placed` object in its new appearance; `drawn` is the same object
        at the size of the model's picture `generated` (1, 3, h, w)."""
        assert self.recolouring is not None
        opacity, own = placed.opacity, placed.colours
        if self.generated and self.recolouring.pattern:
            return apply_colours(image, opacity, own, transfer_pattern(own, opacity, generated, self.recolouring))
        if self.generated:
            picture = recolour(generated, drawn.target, self.recolouring.colours)
            return apply_colours(image, opacity, own, transfer_detail(own, opacity, picture, drawn.colours))
        return apply_colours(image, opacity, own, self.recolouring.apply(own, opacity))

    def converted(self, convert: Callable[[Tensor], Tensor]) -> "AppearanceChange":
        """The same for pictures in other colours, to which `convert` takes pictures (1, 3, H, W)."""
        assert self.recolouring is not None
        return replace(self, recolouring=self.recolouring.converted(convert))


Changes = Sequence[AppearanceChange | None]
"""Of every object of a scene in turn; None where it keeps its appearance."""


def requested_changes(
    session: Session, scene: LayeredScene, composite: Composite, sources: Mapping[ObjectSource, SourceObject]
) -> list[AppearanceChange | None]:
    """What is asked of every object's appearance, with the colours of that."""
    sampled = functools.cache(functools.partial(sampled_colours, session))
    return [
        _requested(edit, placed, sources, sampled)
        for edit, placed in zip(scene.objects, composite.objects, strict=True)
    ]


def _requested(
    edit: ObjectEdit,
    placed: PlacedObject,
    sources: Mapping[ObjectSource, SourceObject],
    sampled: Callable[[str], Tensor],
) -> AppearanceChange | None:
    appearance, phrase, tokens = edit.appearance, edit.object.phrase, edit.object.tokens
    if appearance is None:
        return None
    if appearance.source is not None:
        source = sources[appearance.source]
        words = phrase_with_appearance(phrase, source.object.phrase)
        generated = bool(tokens and source.object.tokens)
        return AppearanceChange(words, generated, source, TargetColours(source.colours()))
    words = appearance.words or phrase
    colours = None
    if len(new := sampled(words)):
        old = sampled(phrase) if tokens else new[:0]
        colours = target_colours(placed.pixels_of(placed.colours), old, new)
    return AppearanceChange(words, generated=True, source=None, colours=colours)


def recolour_objects(
    session: Session, composite: Composite, changes: Changes, texts: tuple[Embedding, Embedding] | None = None
) -> tuple[list[AppearanceChange | None], Tensor]:
    """How each object takes on its new colours, and the composite's image (1, 3, h, w) in them: in the likeliest way,
    unless another fits the new of the `texts` much better than the old, where the model knows them."""
    found: list[AppearanceChange | None] = []
    image = composite.image
    for change, placed in zip(changes, composite.objects, strict=True):
        if change is None or change.colours is None:
            found.append(change)
            continue
        own, opacity = placed.colours, placed.opacity
        ways = recolourings(placed.pixels_of(own), change.colours.colours, change.colours.matte)
        pictures = [apply_colours(image, opacity, own, way.apply(own, opacity)) for way in ways]
        best = 0
        if texts is not None and change.generated and len(ways) > 1:
            scores = [classifier_score(session, picture, placed.target, texts) for picture in pictures]
            best = scores.index(max(scores)) if max(scores) > scores[0] + MUCH_BETTER else 0
        image = pictures[best]
        found.append(replace(change, recolouring=ways[best]))
    return found, image


def choose_appearances(
    session: Session, composite: Composite, changes: Changes, texts: tuple[Embedding, Embedding], generated: Tensor
) -> list[AppearanceChange | None]:
    """For every object that gets a new appearance the way that fits. `generated` (1, 3, h, w) is what the model
    drew; `texts` are the old and the new ones."""

    def score_of(change: AppearanceChange, placed: PlacedObject) -> float:
        picture = change.apply(composite.image, placed, generated, placed)
        return classifier_score(session, picture, placed.target, texts)

    chosen: list[AppearanceChange | None] = []
    for change, placed in zip(changes, composite.objects, strict=True):
        if change is None:
            chosen.append(None)
            continue
        recolouring = change.recolouring or Recolouring(placed.pixels_of(generated))
        change = replace(change, recolouring=recolouring)
        if change.generated and not recolouring.pattern:
            recoloured = replace(change, generated=False)
            drawn, kept = score_of(change, placed), score_of(recoloured, placed)
            enough = AS_GOOD_BORROWED if change.source is not None else _as_good(recolouring)
            change = recoloured if kept - drawn >= (enough - 1) * abs(drawn) else change
        chosen.append(change)
    return chosen


def _as_good(recolouring: Recolouring) -> float:
    if recolouring.inexpressible:
        return AS_GOOD_INEXPRESSIBLE
    return AS_GOOD_MATTE if recolouring.matte else AS_GOOD
