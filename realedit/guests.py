"""Objects of other photos: found there by their words, lifted off, or looked at for their looks."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from inversion.errors import EditError
from inversion.model import DiffusionModel
from realedit.asking import Given, ask
from realedit.camera import Camera
from realedit.clearing import clear
from realedit.compositing import lift_object
from realedit.edits import Insert, Remove
from realedit.files.photo import Photo
from realedit.finding import named_once, prominence
from realedit.framing import Frame, departure, frame_around, landing, reached
from realedit.images import at_most, resize
from realedit.inverting import Seen
from realedit.locating import check_memory, find, view
from realedit.masks import FINEST, mask_place
from realedit.placement import Box
from realedit.planning import make_plan
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

    photo: Photo
    seen: Seen
    phrase: str
    words: tuple[int, ...]
    mask: Tensor
    by_user: bool

    def palette(self) -> Tensor:
        """The object's colours (n, 3), sRGB."""
        fine = at_most(self.photo.size, FINEST)
        return self.photo.small(fine)[0][:, resize(self.mask, fine)[0, 0] > 0.5].T


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
    whole = view(model, other.photo, Frame.whole(other.photo.size), other.prompt, settings, method, on_step)
    if phrase is None:
        named = named_once(model, other.prompt)
        if not named:
            raise EditError(f'"{other.prompt}" names no object; say what the other photo shows')
        phrase = max(named, key=lambda p: prominence(whole.seen.reference, named[p]))
    words = model.positions(other.prompt, phrase)
    marked = {phrase: other.mask} if other.mask is not None else {}
    given = find(model, whole, [phrase], marked, {})[phrase]
    return Guest(other.photo, whole.seen, phrase, words, given.mask, given.by_user)


def bring(
    model: DiffusionModel,
    guest: Guest,
    edit: Insert,
    host: Photo,
    settings: Settings,
    method: str,
    on_step: Callable[[int], None],
) -> tuple[Extra, Box]:
    """Lift an object off its photo, with its trace, to be set down in the `host`; and the box of the
    host that it will touch."""
    place, prompt = mask_place(guest.mask), guest.seen.reference.header.prompt
    frame = frame_around(reached(place, (), settings.reach), [place.box], guest.photo.size, model.native_size)
    check_memory(frame)
    part = view(model, guest.photo, frame, prompt, settings, method, on_step)
    given = {guest.phrase: Given(guest.mask, guest.by_user)}
    mask = frame.cut(guest.mask)
    camera = Camera(guest.photo.size, pitch=0.0)  # nothing goes elsewhere in that photo, so any will do
    asked = [a.within(frame, mask) for a in ask([Remove(guest.phrase)], given, camera)]
    cleared = clear(model, part, asked, settings, on_step)
    cast, mask = make_plan(model, part.seen, asked, cleared, (), settings, on_step).cast, cleared.put_right(0, mask)
    size, photo = part.photo.size, part.photo.colours.to_srgb(part.photo.tensor())
    backdrop = Backdrop(resize(cast.backdrop.plate, size), resize(cast.backdrop.crumbs, size))
    lifted = lift_object(photo, mask, cast.traces[0].resized(size), backdrop)
    placement = edit.placement(place)
    extra = Extra(guest.phrase, lifted, mask, departure(frame, placement))
    return extra, landing(reached(place, (), settings.reach)[0], placement, guest.photo.size, host.size)
