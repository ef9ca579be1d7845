"""From a photo to its reference: read from the cache, or inverted, recorded and kept there."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from inversion.errors import ReferenceMismatch
from inversion.footprint import require
from inversion.methods import METHODS
from inversion.model import DiffusionModel
from inversion.problem import InversionProblem, silent
from inversion.record import Recorder
from inversion.reference import Header, Reference, cache_key
from realedit.files.photo import Photo
from realedit.geometry.crop import Crop
from realedit.images import resize, working_size
from realedit.sampling import cache
from realedit.sampling.latent_blending import ResidualCorrection
from realedit.sampling.sampler import Conditioning, sample
from realedit.settings import Settings

GENERATED = "generated"  # the method of a reference whose picture was drawn, not inverted


@dataclass(frozen=True, eq=False)
class InvertedImage:
    """A photo as the model sees it: `image` (1, 3, h, w) at the model's size, and its reference."""

    image: Tensor
    reference: Reference
    cached: bool


def invert_image(
    model: DiffusionModel,
    photo: Tensor,
    prompt: str,
    settings: Settings,
    method: str,
    on_step: Callable[[int], None] = silent,
) -> InvertedImage:
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
                return InvertedImage(small, reference, cached=True)
            except FileNotFoundError:
                continue  # another process made room
            except ReferenceMismatch:
                path.unlink(missing_ok=True)  # cut off or of an older version: make it again
    recorder = Recorder(model, prompt, schedule)
    latent, scale = model.encode(small), settings.guidance_scale
    problem = InversionProblem(model, latent, prompt, schedule, scale, on_step, recorder.step)
    reference = recorder.finish(METHODS[method](problem), method, on_step)
    keep_reference(small, reference)
    return InvertedImage(small, reference, cached=False)


def keep_reference(small: Tensor, reference: Reference) -> None:
    """Put a reference into the cache, if it can be written."""
    cache.keep(cache.path_of(cache_key(small, reference.header)), reference.save)


def photo_conditioning(model: DiffusionModel, reference: Reference) -> Conditioning:
    """The texts that reproduce the photo: its prompt, and the optimised unprompted row."""
    return Conditioning(
        model.embed(reference.header.prompt),
        reference.unconditional.to(model.device),
        reference.header.guidance_scale,
    )


def reconstruct(model: DiffusionModel, reference: Reference) -> Tensor:
    """The photo (1, 3, h, w) as sampling gives it back from its noise."""
    schedule = model.schedule(len(reference.header.timesteps))
    start = reference.pivots[:1].to(model.device)
    edits = [ResidualCorrection(reference.residuals)] if reference.residuals is not None else []
    return model.decode(sample(model, start, schedule, photo_conditioning(model, reference), callbacks=edits)).cpu()


BYTES_PER_PIXEL = 160  # of memory for each pixel of the part that is edited, at full size: masks, layers, blends


@dataclass(frozen=True, eq=False)
class InvertedCrop:
    """A part of a photo: its own pixels, and what the model sees there."""

    crop: Crop
    photo: Photo
    inverted: InvertedImage


def invert_crop(
    model: DiffusionModel,
    photo: Photo,
    frame: Crop,
    prompt: str,
    settings: Settings,
    method: str,
    on_step: Callable[[int], None],
) -> InvertedCrop:
    """Look at a part of a photo at the model's own size."""
    part = photo.cropped(frame.box)
    size = working_size(part.size, model.native_size, model.pixel_multiple)
    return InvertedCrop(frame, part, invert_image(model, part.small(size), prompt, settings, method, on_step))


def invert_photo(
    model: DiffusionModel,
    photo: Photo,
    prompt: str,
    settings: Settings,
    method: str,
    on_step: Callable[[int], None] = silent,
) -> InvertedImage:
    """What the model sees in all of a photo."""
    return invert_crop(model, photo, Crop.whole(photo.size), prompt, settings, method, on_step).inverted


def check_memory(frame: Crop) -> None:
    """Raises `RealEditError` if a part is too large to be edited on this machine."""
    width, height = frame.extent
    advice = "make the photo smaller, or edit a smaller part of it"
    require(width * height * BYTES_PER_PIXEL, advice)
