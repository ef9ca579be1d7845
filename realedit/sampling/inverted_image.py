"""From a photo to its reference: read from the cache, or inverted, recorded and kept there."""

import functools
from dataclasses import dataclass, replace

from torch import Tensor

from inversion.main_memory import require
from inversion.methods import METHODS
from inversion.model import DiffusionModel
from inversion.problem import InversionProblem
from inversion.record import Recorder
from inversion.reference import Header, Reference, cache_key
from realedit.files.photo import Photo
from realedit.geometry.crop import Crop
from realedit.images import resize, working_size
from realedit.sampling import cache
from realedit.sampling.latent_blending import LatentPath, ResidualCorrection
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.sampling.session import Session

GENERATED = "generated"  # the method of a reference whose picture was drawn, not inverted
BYTES_PER_PIXEL = 160  # of memory for each pixel of the part that is edited, at full size: masks, layers, blends


@dataclass(frozen=True, eq=False)
class InvertedImage:
    """A photo as the model sees it: its `image` (1, 3, h, w) at the model's size, its `reference`, and whether that
    came from the cache."""

    image: Tensor
    reference: Reference
    cached: bool

    @property
    def prompt(self) -> str:
        return self.reference.header.prompt

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) at which the model works."""
        return self.image.shape[-1], self.image.shape[-2]


@dataclass(frozen=True, eq=False)
class InvertedCrop:
    """A part of a photo: where it lies, its own pixels, and what the model sees there."""

    crop: Crop
    photo: Photo
    inverted: InvertedImage


def invert_image(session: Session, photo: Tensor, prompt: str) -> InvertedImage:
    """Invert a photo (1, 3, H, W) in sRGB under `prompt`, or find that this was done before."""
    settings, model = session.settings, session.model
    image = resize(photo, working_size((photo.shape[-1], photo.shape[-2]), model.native_size, model.pixel_multiple))
    header, schedule = _header(session, prompt), session.schedule
    for kept in (header, replace(header, method=GENERATED)):
        found = cache.load(cache_key(image, kept), functools.partial(Reference.load, wanted=kept))
        if found is not None:
            return InvertedImage(image, found, cached=True)
    recorder, on_step = Recorder(model, prompt, schedule), session.steps_of("inverting")
    problem = InversionProblem(
        model, model.encode(image), prompt, schedule, settings.guidance_scale, on_step, recorder.step
    )
    reference = recorder.finish(METHODS[settings.method](problem), settings.method, on_step)
    keep_reference(image, reference)
    return InvertedImage(image, reference, cached=False)


def was_drawn(session: Session, image: Tensor, prompt: str) -> bool:
    """Whether the cache knows an image (1, 3, h, w) as one that the model drew from this prompt itself."""
    return cache.is_kept(cache_key(image, replace(_header(session, prompt), method=GENERATED)))


def _header(session: Session, prompt: str) -> Header:
    """Of the reference of a photo that is inverted under a prompt."""
    settings, timesteps = session.settings, session.schedule.timesteps
    return Header(session.model.fingerprint, prompt, settings.method, timesteps, settings.guidance_scale)


def invert_crop(session: Session, photo: Photo, crop: Crop, prompt: str) -> InvertedCrop:
    """What the model sees in a part of a photo, at its own size."""
    part = photo.cropped(crop.box)
    return InvertedCrop(crop, part, invert_image(session, model_image(session.model, part), prompt))


def model_image(model: DiffusionModel, photo: Photo) -> Tensor:
    """A photo (1, 3, h, w) in sRGB at the size at which a model works on it."""
    return photo.small(working_size(photo.size, model.native_size, model.pixel_multiple))


def invert_photo(session: Session, photo: Photo, prompt: str) -> InvertedImage:
    """What the model sees in all of a photo."""
    return invert_crop(session, photo, Crop.whole(photo.size), prompt).inverted


def check_memory(crop: Crop) -> None:
    """Raises `RealEditError` if a part is too large to be edited on this machine."""
    width, height = crop.extent
    require(width * height * BYTES_PER_PIXEL, "make the photo smaller, or edit a smaller part of it")


def keep_reference(image: Tensor, reference: Reference) -> None:
    """Put a reference into the cache, if it can be written."""
    cache.keep(cache.path_of(cache_key(image, reference.header)), reference.save)


def latent_path(session: Session, inverted: InvertedImage) -> LatentPath:
    """The way on which the model holds a photo, on the model's device."""
    model = session.model
    return LatentPath(inverted.reference.pivots.to(model.device), model.encode(inverted.image), session.schedule)


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
    kept = [ResidualCorrection(reference.residuals)] if reference.residuals is not None else []
    return model.decode(sample(model, start, schedule, photo_conditioning(model, reference), callbacks=kept)).cpu()
