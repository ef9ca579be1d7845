"""What is known of a request before anything is taken apart: where its objects are, and the part of the photo that the
model works on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from inversion.errors import PhraseError
from inversion.model import DiffusionModel
from realedit.compositing.scene import InsertedObject, LayeredScene, ObjectEdit
from realedit.editing.insertion import extract_insert
from realedit.editing.object_edits import Viewpoint, boxes_of, set_down, taken_out
from realedit.editing.request import EditRequest
from realedit.edits import Insert, ObjectSource
from realedit.files.photo import Photo
from realedit.geometry.camera import Camera
from realedit.geometry.crop import CLOSE_ZOOM, NATURAL_ZOOM, Crop, crop_around
from realedit.geometry.region import check_marked
from realedit.geometry.transform import IDENTITY
from realedit.images import resize
from realedit.objects.localisation import locate_object
from realedit.objects.located_object import LocatedObject
from realedit.objects.recognition import knows_photo, may_know, probe_words, require_words
from realedit.objects.source_objects import SourceObject, locate_source_object
from realedit.sampling.inverted_image import InvertedCrop, check_memory, invert_crop, model_image, was_drawn
from realedit.sampling.session import Session, load
from realedit.settings import Mode

FINDING = "finding the object"  # the stage


@dataclass(frozen=True, eq=False)
class Preparation:
    """The part of a photo that its edits touch: where it lies (`crop`), its own pixels (`photo`), and what the model
    sees in it (`view`), None where it does not know all that is edited; what is asked of the objects there, with masks
    at the part's own size (`objects`), and from where the camera saw them in the whole photo (`viewpoint`); what comes
    from other photos, set down in the part (`inserted`) or lending its appearance (`sources`)."""

    crop: Crop
    photo: Photo
    view: InvertedCrop | None
    objects: list[ObjectEdit]
    viewpoint: Viewpoint
    inserted: tuple[InsertedObject, ...]
    sources: dict[ObjectSource, SourceObject]


def prepare(session: Session, request: EditRequest) -> Preparation:
    """Find all objects of a request, and invert the part of the photo that it touches if the model knows them."""
    photo = request.photo
    whole = _located(session, request)
    located = whole.objects
    sources = _sources(session, request)
    outlines = [each.mask for each in located if each.tokens]  # of what models know some resemble solids
    camera = request.camera(outlines) if request.turns else Camera(photo.size)
    viewpoint = Viewpoint.of(camera, located)
    objects = taken_out(request.edits, located)
    inserts = [edit for edit in request.edits if isinstance(edit, Insert)]
    brought = [extract_insert(session, sources[edit.source], edit, photo) for edit in inserts]
    # Where nothing moves, no shadow does, and the model may look from nearer.
    moving = bool(inserts) or any(each.moves for each in objects)
    reach, limits = (session.settings.reach, NATURAL_ZOOM) if moving else (0.0, CLOSE_ZOOM)
    touched = [*viewpoint.touched_boxes(request.edits, reach), *(box for _, box in brought)]
    crop = crop_around(touched, boxes_of(located) or touched, photo.size, session.model.native_size, limits)
    check_memory(crop)
    view = whole.view if whole.known and crop.is_whole else None
    if whole.known and view is None:
        view = invert_crop(session, photo, crop, request.prompt)
    return Preparation(
        crop,
        photo.cropped(crop.box),
        view,
        [each.with_mask(crop.cut_out(each.mask)) for each in objects],
        viewpoint,
        tuple(replace(each, placement=crop.inserted_placement(each.placement)) for each, _ in brought),
        sources,
    )


def with_placements(
    request: EditRequest,
    prepared: Preparation,
    scene: LayeredScene,
    viewpoint: Viewpoint,
    located: Sequence[LocatedObject],
) -> LayeredScene:
    """A scene with its objects, `located` in the part, set down where the edits put them, and with what comes from
    other photos."""
    crop = prepared.crop
    masks = {each.phrase: crop.in_photo(each.mask) for each in located}
    placements = set_down(request.edits, masks, viewpoint)
    objects = tuple(
        replace(
            each,
            placements=tuple(p if p == IDENTITY else crop.placement(p) for p in placements[each.object.phrase]),
        )
        for each in scene.objects
    )
    size = (scene.clean_plate.image.shape[-1], scene.clean_plate.image.shape[-2])
    front = request.hints.front
    front = None if front is None else (resize(crop.cut_out(front), size) > 0.5).float()
    return replace(scene, objects=objects, inserted=prepared.inserted, front=front)


@dataclass(frozen=True, eq=False)
class _Whole:
    """All of a photo: the objects in it, without tokens where the model does not know them, whether it knows the photo
    and all that is edited there, and what it sees, if it had to look."""

    objects: Sequence[LocatedObject]
    known: bool
    view: InvertedCrop | None = None


def _located(session: Session, request: EditRequest) -> _Whole:
    """Find the objects of a request.

    Raises:
        RecognitionError: the model does not know what words alone shall find.
        EditError: an object is not found.
    """
    masks, model, prompt = request.hints.masks, session.model, request.prompt
    image = model_image(model, request.photo)
    if session.settings.mode is Mode.PIXELS:
        check_marked(request.objects, masks)
    by_words = [phrase for phrase in request.objects if phrase not in masks]
    if not by_words and (session.settings.mode is Mode.PIXELS or not may_know(model, image)):
        return _Whole([LocatedObject(each, (), masks[each], from_user=True) for each in request.objects], known=False)
    if not model.is_loaded:
        load(model, session.progress)
        session.progress(FINDING)
    drawn = was_drawn(session, image, prompt)
    if not drawn:
        require_words(session, image, prompt, by_words)
    known = drawn or bool(by_words) or knows_photo(session, image)
    view = None
    if by_words:
        view = invert_crop(session, request.photo, Crop.whole(request.photo.size), prompt)
        session.progress(FINDING)
    objects = []
    for phrase in request.objects:
        if view is not None and phrase in by_words:
            objects.append(locate_object(model, view, phrase))
            continue
        seen = (
            known
            and _is_named(model, prompt, phrase)
            and probe_words(session, image, prompt, phrase).sees(_small(masks[phrase], image))
        )
        tokens = model.positions(prompt, phrase) if seen else ()
        objects.append(LocatedObject(phrase, tokens, masks[phrase], from_user=True))
    return _Whole(objects, known and all(each.tokens for each in objects), view)


def _is_named(model: DiffusionModel, prompt: str, phrase: str) -> bool:
    """Whether a prompt names an object once, among the words that the model reads."""
    try:
        model.positions(prompt, phrase)
    except PhraseError:
        return False
    return True


def _small(mask: Tensor, image: Tensor) -> Tensor:
    return (resize(mask, (image.shape[-1], image.shape[-2])) > 0.5).float()


def _sources(session: Session, request: EditRequest) -> dict[ObjectSource, SourceObject]:
    """What the edits take from other photos."""
    found: dict[ObjectSource, SourceObject] = {}
    for edit in request.edits:
        source = edit.source if isinstance(edit, Insert) else edit.appearance.source if edit.appearance else None
        if source is not None and source not in found:
            found[source] = locate_source_object(session, request.hints.sources[source.photo], source.object)
    return found
