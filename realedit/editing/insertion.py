"""An object of another photo, extracted there to be set down in this one."""

from collections.abc import Callable

from inversion.model import DiffusionModel
from realedit.compositing.composite import InsertedObject
from realedit.compositing.layers import extract_layer
from realedit.compositing.separation import CleanPlate
from realedit.editing.decomposition import decompose_wide, make_plan
from realedit.editing.object_edits import resolve_edits
from realedit.edits import Insert, Remove
from realedit.files.photo import Photo
from realedit.geometry.camera import Camera
from realedit.geometry.crop import box_in_target, crop_around, leaving_crop, touched_boxes
from realedit.geometry.object_pose import object_pose
from realedit.geometry.transform import Box
from realedit.images import resize
from realedit.objects.localisation import Given
from realedit.objects.source_objects import SourceObject
from realedit.sampling.inverted_image import check_memory, invert_crop
from realedit.settings import Settings


def extract_insert(
    model: DiffusionModel,
    guest: SourceObject,
    edit: Insert,
    host: Photo,
    settings: Settings,
    method: str,
    on_step: Callable[[int], None],
) -> tuple[InsertedObject, Box]:
    """Lift an object off its photo, with its trace, to be set down in the `host`; and the box of the
    host that it will touch."""
    place, prompt = object_pose(guest.mask), guest.seen.reference.header.prompt
    frame = crop_around(touched_boxes(place, (), settings.reach), [place.box], guest.photo.size, model.native_size)
    check_memory(frame)
    part = invert_crop(model, guest.photo, frame, prompt, settings, method, on_step)
    given = {guest.phrase: Given(guest.mask, guest.by_user)}
    mask = frame.cut_out(guest.mask)
    camera = Camera(guest.photo.size, pitch=0.0)  # nothing goes elsewhere in that photo, so any will do
    asked = [a.within(frame, mask) for a in resolve_edits([Remove(guest.phrase)], given, camera)]
    cleared = decompose_wide(model, part, asked, settings, on_step)
    cast, mask = make_plan(model, part.inverted, asked, cleared, (), settings, on_step).cast, cleared.put_right(0, mask)
    size, photo = part.photo.size, part.photo.colours.to_srgb(part.photo.tensor())
    backdrop = CleanPlate(resize(cast.backdrop.image, size), resize(cast.backdrop.residue, size))
    lifted = extract_layer(photo, mask, cast.traces[0].resized(size), backdrop)
    placement = edit.placement(place)
    extra = InsertedObject(guest.phrase, lifted, mask, leaving_crop(frame, placement))
    return extra, box_in_target(touched_boxes(place, (), settings.reach)[0], placement, guest.photo.size, host.size)
