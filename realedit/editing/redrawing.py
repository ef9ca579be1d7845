"""A photo drawn anew by one of the systems: the home of all that is the program's and no system's. The part that may
change, at the model's size and back; what lies outside it, which keeps its pixels; the photo's own detail."""

import torch
from torch import Tensor

from realedit.compositing.paste_back import paste_regenerated
from realedit.engines import Engine
from realedit.files.photo import Photo
from realedit.geometry.boxes import mask_box
from realedit.geometry.crop import CLOSE_ZOOM, Crop, crop_around
from realedit.images import resize
from realedit.methods.sampler_run import Task
from realedit.methods.systems import SYSTEMS
from realedit.objects.recognition import require_known
from realedit.sampling.inverted_image import check_memory, model_image
from realedit.sampling.session import Session


def redraw(
    session: Session, photo: Photo, prompt: str, words: str, engine: Engine, mask: Tensor | None = None
) -> Photo:
    """A `photo`, which the `prompt` describes, as an `engine` draws it under the `words`; with a `mask` (1, 1, H, W)
    all other pixels are its own.

    Raises:
        RecognitionError: the model does not know what it shows.
        EditError: the engine cannot do what it is asked.
    """
    everywhere = torch.ones(1, 1, photo.size[1], photo.size[0])
    crop = Crop.whole(photo.size)
    if mask is not None:
        box = mask_box(mask)
        crop = crop_around([box], [box], photo.size, session.model.native_size, CLOSE_ZOOM)
    check_memory(crop)
    require_known(session, model_image(session.model, photo), prompt)
    part, free = photo.cropped(crop.box), crop.cut_out(everywhere if mask is None else mask)
    drawn = _drawn(session, part, free, (prompt, words), engine)
    return photo.with_part(crop.box, drawn)


def _drawn(session: Session, part: Photo, free: Tensor, texts: tuple[str, str], engine: Engine) -> Photo:
    """A part of the photo, drawn where it is `free` (1, 1, H, W)."""
    model, system = session.model, SYSTEMS[type(engine)]
    image = model_image(model, part)
    task = Task(session, image, *texts, resize(free, (image.shape[-1], image.shape[-2])))
    picture = model.decode(system.run(task, engine).latent(session)).cpu()
    rebuilt = model.decode(task.latent).cpu()
    shown_as_drawn = torch.full_like(image[:, :1], 0.0 if system.keeps else 1.0)
    result = paste_regenerated(part, (rebuilt, picture), free, shown_as_drawn, session.settings.feather)
    return part.painted(result, free, part.opacity())
