"""An object of another photo, extracted there to be set down in this one."""

from realedit.compositing.effects import Effects
from realedit.compositing.layers import extract_layer
from realedit.compositing.scene import InsertedObject, ObjectEdit
from realedit.editing.decomposition import corrected_objects, decompose
from realedit.edits import Insert
from realedit.files.photo import Photo
from realedit.geometry.crop import box_in_target, crop_around, leaving_crop, touched_boxes
from realedit.geometry.object_pose import object_pose
from realedit.geometry.transform import Box
from realedit.objects.source_objects import SourceObject
from realedit.sampling.inverted_image import check_memory, invert_crop
from realedit.sampling.session import Session


def extract_insert(session: Session, source: SourceObject, edit: Insert, host: Photo) -> tuple[InsertedObject, Box]:
    """Extract an object from its photo, with its effects, to be set down in the `host`; and the box of the
    host that it will touch."""
    pose = object_pose(source.object.mask)
    photo = source.photo
    (around,) = touched_boxes(pose.box, (), session.settings.reach)
    crop = crop_around([around], [pose.box], photo.size, session.model.native_size)
    check_memory(crop)
    view = invert_crop(session, photo, crop, source.inverted.prompt)
    located = source.object.with_mask(crop.cut_out(source.object.mask))
    removal = ObjectEdit(located, placements=(), appearance=None, effects=Effects.none(located.mask))
    scene = decompose(session, view, [removal])
    (located,) = corrected_objects(view.inverted, [located], scene)
    picture = view.photo.colours.to_srgb(view.photo.tensor())
    size = view.photo.size
    effects = scene.objects[0].effects.resized(size)
    layer = extract_layer(picture, located.mask, effects, scene.clean_plate.resized(size))
    placement = edit.placement(pose)
    inserted = InsertedObject(located.phrase, layer, located.mask, leaving_crop(crop, placement))
    return inserted, box_in_target(around, placement, photo.size, host.size)
