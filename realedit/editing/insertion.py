"""An object of another photo, extracted there to be set down in this one."""

from collections.abc import Callable

from inversion.model import DiffusionModel
from realedit.compositing.composite import Extra
from realedit.compositing.layers import lift_object
from realedit.compositing.separation import Backdrop
from realedit.editing.decomposition import clear, make_plan
from realedit.editing.object_edits import ask
from realedit.edits import Insert, Remove
from realedit.files.photo import Photo
from realedit.geometry.camera import Camera
from realedit.geometry.crop import departure, frame_around, landing, reached
from realedit.geometry.object_pose import mask_place
from realedit.geometry.transform import Box
from realedit.images import resize
from realedit.objects.localisation import Given
from realedit.objects.source_objects import Guest
from realedit.sampling.inverted_image import check_memory, view
from realedit.settings import Settings


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
