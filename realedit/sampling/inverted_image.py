"""From a photo to its reference: read from the cache, or inverted, recorded and kept there."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from inversion.ddim import silent
from inversion.errors import ReferenceMismatch
from inversion.footprint import require
from inversion.methods import METHODS
from inversion.model import DiffusionModel
from inversion.record import Recorder
from inversion.reference import Header, Reference, cache_key
from realedit.files.photo import Photo
from realedit.geometry.crop import Frame
from realedit.images import resize, working_size
from realedit.sampling import cache
from realedit.sampling.latent_blending import Residuals
from realedit.sampling.sampler import Rows, sample
from realedit.settings import Settings

GENERATED = "generated"  # the method of a reference whose picture was drawn, not inverted


@dataclass(frozen=True, eq=False)
class Seen:
    """A photo as the model sees it: `small` (1, 3, h, w) at the model's size, and its reference."""

    small: Tensor
    reference: Reference
    from_cache: bool


def see(
    model: DiffusionModel,
    photo: Tensor,
    prompt: str,
    settings: Settings,
    method: str,
    on_step: Callable[[int], None] = silent,
) -> Seen:
    """Invert a photo (1, 3, H, W) under `prompt`, or find that this was done before."""
    size = working_size((photo.shape[-1], photo.shape[-2]), model.native_size, model.pixel_multiple)
    small = resize(photo, size)
    schedule = model.schedule(settings.steps)
    header = Header(model.fingerprint, prompt, method, schedule.timesteps, settings.guidance_scale)
    for kept in (header, replace(header, method=GENERATED)):
        path = cache.path_of(cache_key(small, kept))
        if path.exists():
            try:
                reference = Reference.load(path, kept)
                cache.used(path)
                return Seen(small, reference, from_cache=True)
            except FileNotFoundError:
                continue  # another process made room
            except ReferenceMismatch:
                path.unlink(missing_ok=True)  # cut off or of an older version: make it again
    invert = METHODS[method]
    recorder = Recorder(model, prompt, schedule)
    latent, scale = model.encode(small), settings.guidance_scale
    inverted = invert(model, latent, prompt, schedule, scale, on_step, recorder.step)
    reference = recorder.finish(inverted, method, on_step)
    keep(small, reference)
    return Seen(small, reference, from_cache=False)


def keep(small: Tensor, reference: Reference) -> None:
    """Put a reference into the cache, if it can be written."""
    cache.keep(cache.path_of(cache_key(small, reference.header)), reference.save)


def rows_of(model: DiffusionModel, reference: Reference) -> Rows:
    """The texts that reproduce the photo: its prompt, and the optimised unprompted row."""
    return Rows(
        model.embed(reference.header.prompt),
        reference.unconditional.to(model.device),
        reference.header.guidance_scale,
    )


def reconstruct(model: DiffusionModel, reference: Reference) -> Tensor:
    """The photo (1, 3, h, w) as sampling gives it back from its noise."""
    schedule = model.schedule(len(reference.header.timesteps))
    start = reference.pivots[:1].to(model.device)
    edits = [Residuals(reference.residuals)] if reference.residuals is not None else []
    return model.decode(sample(model, start, schedule, rows_of(model, reference), edits=edits)).cpu()


EDIT_BYTES = 160  # of memory for each pixel of the part that is edited, at full size: masks, layers, blends


@dataclass(frozen=True, eq=False)
class View:
    """A part of a photo: its own pixels, and what the model sees there."""

    frame: Frame
    photo: Photo
    seen: Seen


def view(
    model: DiffusionModel,
    photo: Photo,
    frame: Frame,
    prompt: str,
    settings: Settings,
    method: str,
    on_step: Callable[[int], None],
) -> View:
    """Look at a part of a photo at the model's own size."""
    part = photo.cropped(frame.box)
    size = working_size(part.size, model.native_size, model.pixel_multiple)
    return View(frame, part, see(model, part.small(size), prompt, settings, method, on_step))


def see_whole(
    model: DiffusionModel,
    photo: Photo,
    prompt: str,
    settings: Settings,
    method: str,
    on_step: Callable[[int], None] = silent,
) -> Seen:
    """What the model sees in all of a photo."""
    return view(model, photo, Frame.whole(photo.size), prompt, settings, method, on_step).seen


def check_memory(frame: Frame) -> None:
    """Raises `RealEditError` if a part is too large to be edited on this machine."""
    width, height = frame.part
    advice = "make the photo smaller, or edit a smaller part of it"
    require(width * height * EDIT_BYTES, advice)
