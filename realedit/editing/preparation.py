"""What is known of a request before anything is taken apart: where its objects are, and the part of the photo that the
model works on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from realedit.compositing.scene import InsertedObject, ObjectEdit
from realedit.editing.insertion import extract_insert
from realedit.editing.object_edits import Viewpoint, boxes_of, taken_out
from realedit.editing.request import EditRequest
from realedit.edits import Insert, ObjectSource
from realedit.geometry.crop import CLOSE_ZOOM, NATURAL_ZOOM, Crop, crop_around
from realedit.objects.localisation import locate_objects
from realedit.objects.located_object import LocatedObject
from realedit.objects.source_objects import SourceObject, locate_source_object
from realedit.sampling.inverted_image import InvertedCrop, check_memory, invert_crop
from realedit.sampling.session import Session


@dataclass(frozen=True, eq=False)
class Preparation:
    """The part of a photo that its edits touch, as the model sees it (`view`); what is asked of the objects there, with
    masks at the part's own size (`objects`), and from where the camera saw them in the whole photo (`viewpoint`); what
    comes from other photos, set down in the part (`inserted`) or lending its appearance (`sources`)."""

    view: InvertedCrop
    objects: list[ObjectEdit]
    viewpoint: Viewpoint
    inserted: tuple[InsertedObject, ...]
    sources: dict[ObjectSource, SourceObject]


def prepare(session: Session, request: EditRequest) -> Preparation:
    """Find all objects of a request, and invert the part of the photo that it touches."""
    photo = request.photo
    whole, located = _located(session, request)
    sources = _sources(session, request)
    viewpoint = Viewpoint.of(request.camera([each.mask for each in located]), located)
    objects = taken_out(request.edits, located)
    inserts = [edit for edit in request.edits if isinstance(edit, Insert)]
    brought = [extract_insert(session, sources[edit.source], edit, photo) for edit in inserts]
    # Where nothing moves, no shadow does, and the model may look from nearer.
    moving = bool(inserts) or any(each.moves for each in objects)
    reach, limits = (session.settings.reach, NATURAL_ZOOM) if moving else (0.0, CLOSE_ZOOM)
    touched = [*viewpoint.touched_boxes(request.edits, reach), *(box for _, box in brought)]
    crop = crop_around(touched, boxes_of(located) or touched, photo.size, session.model.native_size, limits)
    check_memory(crop)
    if whole is None or not crop.is_whole:
        whole = invert_crop(session, photo, crop, request.prompt)
    return Preparation(
        whole,
        [each.with_mask(crop.cut_out(each.mask)) for each in objects],
        viewpoint,
        tuple(replace(each, placement=crop.inserted_placement(each.placement)) for each, _ in brought),
        sources,
    )


def _located(session: Session, request: EditRequest) -> tuple[InvertedCrop | None, Sequence[LocatedObject]]:
    """The objects of a request, and the whole photo as the model sees it, if it had to look."""
    hints = request.hints
    if all(phrase in hints.masks for phrase in request.objects):  # or there is none
        return None, [
            LocatedObject(phrase, session.model.positions(request.prompt, phrase), hints.masks[phrase], from_user=True)
            for phrase in request.objects
        ]
    whole = invert_crop(session, request.photo, Crop.whole(request.photo.size), request.prompt)
    return whole, locate_objects(session.model, whole, request.objects, hints.masks, hints.points)


def _sources(session: Session, request: EditRequest) -> dict[ObjectSource, SourceObject]:
    """What the edits take from other photos."""
    found: dict[ObjectSource, SourceObject] = {}
    for edit in request.edits:
        source = edit.source if isinstance(edit, Insert) else edit.appearance.source if edit.appearance else None
        if source is not None and source not in found:
            found[source] = locate_source_object(session, request.hints.sources[source.photo], source.object)
    return found
