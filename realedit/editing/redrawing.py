"""A photo drawn anew by one of the systems: the home of all that is the program's and no system's. The part that may
change, at the model's size and back; what lies outside it, which keeps its pixels; the photo's own detail."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from realedit.compositing.paste_back import paste_regenerated
from realedit.engines import AnyEngine
from realedit.files.photo import Photo
from realedit.geometry.boxes import mask_box
from realedit.geometry.crop import CLOSE_ZOOM, Crop, crop_around
from realedit.images import resize
from realedit.methods.controlnet import ControlMap, control_residuals
from realedit.methods.sampler_run import Task
from realedit.methods.systems import SYSTEMS
from realedit.objects.recognition import require_known
from realedit.sampling.inverted_image import check_memory, model_image
from realedit.sampling.session import Session


def redraw(
    session: Session,
    photo: Photo,
    texts: tuple[str, str],
    engine: AnyEngine,
    mask: Tensor | None = None,
    controls: Sequence[ControlMap] = (),
) -> Photo:
    """A photo as an `engine` draws it. `texts`: the prompt that describes it, and the words that shall describe it
    then. With a `mask` (1, 1, H, W) all other pixels are its own. `controls`: maps of the whole photo.

    Raises:
        RecognitionError: the model does not know what it shows.
        EditError: the engine cannot do what it is asked, or a map has another shape than the photo.
    """
    model, system = session.model, SYSTEMS[type(engine)]
    system.check(session, texts, engine)
    everywhere = torch.ones(1, 1, photo.size[1], photo.size[0])
    crop = Crop.whole(photo.size)
    if mask is not None:
        box = mask_box(mask)
        crop = crop_around([box], [box], photo.size, model.native_size, CLOSE_ZOOM)
    check_memory(crop)
    for each in controls:
        each.check(photo.size)
    maps = [each.cut_out(crop) for each in controls]
    require_known(session, model_image(model, photo), texts[0])
    part, free = photo.cropped(crop.box), crop.cut_out(everywhere if mask is None else mask)
    image = model_image(model, part)
    task = Task(session, image, *texts, resize(free, (image.shape[-1], image.shape[-2])), crop)
    run = replace(system.run(task, engine), residuals=control_residuals(model, maps))
    picture = model.decode(run.latent(session)).cpu()
    return photo.with_part(crop.box, _pasted(session, part, free, task, picture, keeps=system.keeps))


def _pasted(session: Session, part: Photo, free: Tensor, task: Task, picture: Tensor, *, keeps: bool) -> Photo:
    """A part of the photo with the `picture` (1, 3, h, w) that was drawn of it where it is `free` (1, 1, H, W); if its
    structure was kept, with its own fine detail."""
    rebuilt = session.model.decode(task.latent).cpu()
    shown_as_drawn = torch.full_like(picture[:, :1], 0.0 if keeps else 1.0)
    result = paste_regenerated(part, (rebuilt, picture), free, shown_as_drawn, session.settings.feather)
    return part.painted(result, free, part.opacity())
