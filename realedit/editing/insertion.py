"""An object of another photo, extracted there to be set down in this one."""

from realedit.compositing.effects import Effects
from realedit.compositing.layers import extract_layer
from realedit.compositing.scene import InsertedObject, ObjectEdit
from realedit.editing.decomposition import corrected_objects, decompose
from realedit.editing.full_resolution import full_scene
from realedit.editing.photo_decomposition import decompose_photo
from realedit.editing.plate import PlateFill
from realedit.edits import Insert
from realedit.files.photo import Photo
from realedit.geometry.crop import box_in_target, crop_around, leaving_crop, touched_boxes
from realedit.geometry.object_pose import object_pose
from realedit.geometry.transform import Box
from realedit.inpainting.filler import AutomaticFill
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
    located = source.object.with_mask(crop.cut_out(source.object.mask))
    removal = ObjectEdit(located, placements=(), appearance=None, effects=Effects.none(located.mask))
    part = photo.cropped(crop.box)
    if source.inverted is None:
        scene, _ = decompose_photo(PlateFill(session, AutomaticFill()), part, [removal])
    else:
        view = invert_crop(session, photo, crop, source.inverted.prompt)
        small = decompose(session, view, [removal])
        scene = full_scene(part, small, corrected_objects(view.inverted, [located], small))
    (removal,) = scene.objects
    layer = extract_layer(part.tensor(), removal.mask, removal.effects, scene.clean_plate)
    layer = layer.converted(part.colours.to_srgb)
    placement = edit.placement(pose)
    inserted = InsertedObject(located.phrase, layer, removal.mask, leaving_crop(crop, placement))
    return inserted, box_in_target(around, placement, photo.size, host.size)
