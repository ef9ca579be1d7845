"""Objects of other photos: found there by their words, lifted off, or looked at for their looks."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from inversion.errors import EditError
from inversion.model import DiffusionModel
from realedit.compositing import lift_object
from realedit.edits import Insert, Remove
from realedit.finding import find_object, named_once, prominence
from realedit.images import Photo, resize
from realedit.inverting import Seen, see
from realedit.masks import mask_place
from realedit.planning import Given, make_plan
from realedit.separating import Backdrop
from realedit.settings import Settings
from realedit.staging import Extra


@dataclass(frozen=True, eq=False)
class OtherPhoto:
    """A photo that an edit takes something from, its prompt, and the object's mask if the user gave one."""

    photo: Photo
    prompt: str
    mask: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Guest:
    """An object of another photo as the model sees it there; `mask` (1, 1, H, W) at that photo's size."""

    photo: Tensor
    seen: Seen
    phrase: str
    words: tuple[int, ...]
    mask: Tensor
    by_user: bool


def meet(
    model: DiffusionModel,
    other: OtherPhoto,
    phrase: str | None,
    settings: Settings,
    method: str,
    on_step: Callable[[int], None],
) -> Guest:
    """Find the object that a phrase names in another photo; without one, what its prompt names most
    prominently.

    Raises:
        PhraseError: the phrase is not in that photo's prompt.
        EditError: the object is not found.
    """
    if phrase is not None:
        model.positions(other.prompt, phrase)  # a wrong word is said before anything slow is done
    photo = other.photo.tensor()
    seen = see(model, photo, other.prompt, settings, method, on_step)
    if phrase is None:
        named = named_once(model, other.prompt)
        if not named:
            raise EditError(f'"{other.prompt}" names no object; say what the other photo shows')
        phrase = max(named, key=lambda p: prominence(seen.reference, named[p]))
    words = model.positions(other.prompt, phrase)
    mask = find_object(photo, seen, words, phrase, other.mask)
    return Guest(photo, seen, phrase, words, mask, other.mask is not None)


def bring(
    model: DiffusionModel, guest: Guest, edit: Insert, settings: Settings, on_step: Callable[[int], None]
) -> Extra:
    """Lift an object off its photo, with its shadow, to be set down in another."""
    given = {guest.phrase: Given(guest.mask, guest.by_user)}
    cast = make_plan(model, guest.seen, [Remove(guest.phrase)], given, (), settings, on_step).cast
    size = (guest.photo.shape[-1], guest.photo.shape[-2])
    backdrop = Backdrop(resize(cast.backdrop.plate, size), resize(cast.backdrop.crumbs, size))
    lifted = lift_object(guest.photo, guest.mask, resize(cast.shadows[0], size), backdrop)
    return Extra(guest.phrase, lifted, guest.mask, edit.placement(mask_place(guest.mask)))
