"""An edit of what no model knows: made of the photo's own pixels alone, at its own size."""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from realedit.appearance.detail_transfer import apply_colours
from realedit.appearance.named_colours import named_colour
from realedit.appearance.own_paint import own_paint
from realedit.compositing.composite import PlacedObject, compose
from realedit.compositing.scene import ObjectEdit
from realedit.editing.edited_part import EditedPart
from realedit.editing.full_resolution import opacity_after
from realedit.editing.measurement import unmeasured_objects
from realedit.editing.photo_decomposition import decompose_photo, fitting
from realedit.editing.plate import PlateFill, place_behind
from realedit.editing.preparation import Preparation, with_placements
from realedit.editing.request import EditRequest
from realedit.edits import ObjectSource
from realedit.files.colour import Colours
from realedit.images import at_most, resize
from realedit.objects.segmentation import fine_size
from realedit.objects.source_objects import SourceObject
from realedit.sampling.session import Session

PREVIEW_SIDE = 1024  # pixels of the longer side


def edit_photo(session: Session, request: EditRequest, prepared: Preparation) -> EditedPart:
    """Make the edits of a request with what the photo has.

    Raises:
        EditError: they ask for what only a model that knows the object can draw.
    """
    photo, settings = prepared.photo, fitting(session.settings, prepared.objects)
    new = [_new_colour(edit, prepared.sources) for edit in prepared.objects]
    fill = PlateFill(session, request.fill, place_behind(request.prompt, request.objects))
    session.progress("filling the old place")
    scene, filled = decompose_photo(fill, photo, prepared.objects)
    located = [each.object for each in scene.objects]
    # An outline alone may be that of a picture or a screen, whose straight edges would be bent as a solid's are.
    viewpoint = prepared.viewpoint.of_flat_things() if request.hints.pitch is None else prepared.viewpoint
    scene = with_placements(request, prepared, scene, viewpoint, located)
    scene = replace(scene, inserted=tuple(each.converted(photo.colours.from_srgb) for each in scene.inserted))
    session.progress("setting objects down")
    composite = compose(photo.tensor(), scene, settings.margin, settings.feather)
    image = composite.image
    for colour, placed in zip(new, composite.objects, strict=True):
        if colour is not None:
            image = _repainted(image, placed, colour, photo.colours)
    composite = replace(composite, image=image)
    if session.show is not None:
        session.show(photo.colours.to_srgb(resize(image, at_most(photo.size, PREVIEW_SIDE))))
    edited = photo.painted(image, composite.editable, opacity_after(photo, scene, settings.margin))
    objects = unmeasured_objects(session.settings, prepared.crop, prepared.objects, composite)
    camera = prepared.viewpoint.camera
    return EditedPart(prepared.crop, edited, camera, scene, composite, scene, composite, objects, filled)


def _new_colour(edit: ObjectEdit, sources: Mapping[ObjectSource, SourceObject]) -> Tensor | None:
    """The colour (3), sRGB, that an object shall have; None as before."""
    appearance, phrase = edit.appearance, edit.object.phrase
    if appearance is None:
        return None
    if appearance.source is None:
        return named_colour(appearance.words or phrase, phrase)[0]
    source = sources[appearance.source]
    fine = fine_size(source.photo.size)
    return own_paint(source.photo.small(fine), resize(source.object.mask, fine)).colour


def _repainted(image: Tensor, placed: PlacedObject, colour: Tensor, colours: Colours) -> Tensor:
    """A picture (1, 3, H, W) with an object's own paint in a new `colour`, sRGB; the picture has the photo's."""
    before = colours.to_srgb(placed.colours)
    paint = own_paint(colours.to_srgb(image), placed.opacity)  # told from what is seen beside the object
    after = paint.replaced(before, colour)
    return apply_colours(image, placed.opacity, placed.colours, colours.from_srgb(after))
