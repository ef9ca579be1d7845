"""Objects of other photos: found there by their words, lifted off, or looked at for their looks."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from inversion.errors import EditError
from inversion.model import DiffusionModel
from realedit.files.photo import Photo
from realedit.geometry.crop import Crop
from realedit.images import at_most, resize
from realedit.objects.grounding import prominence, unique_phrases
from realedit.objects.localisation import locate_objects
from realedit.objects.segmentation import FINEST_SIDE
from realedit.sampling.inverted_image import InvertedImage, invert_crop
from realedit.settings import Settings


@dataclass(frozen=True, eq=False)
class SourcePhoto:
    """A photo that an edit takes something from, its prompt, and the object's mask if the user gave one."""

    photo: Photo
    prompt: str
    mask: Tensor | None = None


@dataclass(frozen=True, eq=False)
class SourceObject:
    """An object of another photo as the model sees it there; `mask` (1, 1, H, W) at that photo's size."""

    photo: Photo
    seen: InvertedImage
    phrase: str
    words: tuple[int, ...]
    mask: Tensor
    by_user: bool

    def palette(self) -> Tensor:
        """The object's colours (n, 3), sRGB."""
        fine = at_most(self.photo.size, FINEST_SIDE)
        return self.photo.small(fine)[0][:, resize(self.mask, fine)[0, 0] > 0.5].T


def locate_source_object(
    model: DiffusionModel,
    other: SourcePhoto,
    phrase: str | None,
    settings: Settings,
    method: str,
    on_step: Callable[[int], None],
) -> SourceObject:
    """Find the object that a phrase names in another photo; without one, what its prompt names most
    prominently.

    Raises:
        PhraseError: the phrase is not in that photo's prompt.
        EditError: the object is not found.
    """
    if phrase is not None:
        model.positions(other.prompt, phrase)  # a wrong word is said before anything slow is done
    whole = invert_crop(model, other.photo, Crop.whole(other.photo.size), other.prompt, settings, method, on_step)
    if phrase is None:
        named = unique_phrases(model, other.prompt)
        if not named:
            raise EditError(f'"{other.prompt}" names no object; say what the other photo shows')
        phrase = max(named, key=lambda p: prominence(whole.inverted.reference, named[p]))
    words = model.positions(other.prompt, phrase)
    marked = {phrase: other.mask} if other.mask is not None else {}
    given = locate_objects(model, whole, [phrase], marked, {})[phrase]
    return SourceObject(other.photo, whole.inverted, phrase, words, given.mask, given.by_user)
