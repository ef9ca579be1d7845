"""Whole pictures: drawn from words alone, or from a photo with its layout or its appearance kept."""

from collections.abc import Sequence

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.phrases import find_phrase, phrases
from inversion.problem import Inverted
from inversion.record import record
from inversion.text import Embedding
from realedit.appearance.detail_transfer import transfer_detail
from realedit.appearance.recolouring import recolour
from realedit.files.exif import described
from realedit.files.metadata import Metadata
from realedit.files.photo import Photo
from realedit.geometry.transform import IDENTITY
from realedit.images import to_bytes, working_size
from realedit.methods.controlnet import ControlMap, control_residuals
from realedit.objects.grounding import all_objects
from realedit.objects.located_object import LocatedObject
from realedit.sampling.energies import (
    ObjectTarget,
    WeightedSum,
    appearance_energy,
    edit_energies,
    global_appearance_energy,
)
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.inverted_image import (
    GENERATED,
    InvertedImage,
    keep_reference,
    latent_path,
    photo_conditioning,
)
from realedit.sampling.latent_blending import noised_composite
from realedit.sampling.noising import fresh_noise
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.sampling.session import Progress, Session, silent
from realedit.settings import DEFAULTS, Settings


def generate(
    model: DiffusionModel,
    prompt: str,
    size: tuple[int, int] | None = None,
    settings: Settings = DEFAULTS,
    progress: Progress = silent,
    controls: Sequence[ControlMap] = (),
) -> Photo:
    """Draw a picture of a prompt, of about this `size` (width, height) in pixels, None: that of its map, or the
    model's own. How it came about is kept in the cache, so that it can be edited without inversion; but not where it
    follows maps (`controls`), since without them its noise does not lead back to it.

    Raises:
        EditError: a map has another shape than the picture.
    """
    return generate_in(Session(model, settings, progress), prompt, size, controls)


def generate_in(
    session: Session, prompt: str, size: tuple[int, int] | None, controls: Sequence[ControlMap] = ()
) -> Photo:
    """The same in a session, whose guide it follows."""
    model = session.model
    for each in controls:
        size = size or each.size
        each.check(size)
    possible = possible_size(model, size)
    if controls or session.guide is not None:
        image = model.decode(_drawn(session, prompt, possible, controls)[0])
    else:
        image = draw(session, prompt, possible).image
    return Photo(to_bytes(image), metadata=Metadata(exif=described(prompt)), description=prompt)


def possible_size(model: DiffusionModel, size: tuple[int, int] | None) -> tuple[int, int]:
    """The nearest (width, height) to a wanted one at which a model can draw; None: its own."""
    return working_size(size or (model.native_size, model.native_size), model.native_size, model.pixel_multiple)


def draw(session: Session, prompt: str, size: tuple[int, int]) -> InvertedImage:
    """Draw a picture from words and keep the way to it as its reference: the latents it went through are its
    pivots."""
    model, settings = session.model, session.settings
    levels: list[Tensor] = []
    latent, unconditional = _drawn(session, prompt, size, (), levels)
    image = model.decode(latent).cpu()
    image = torch.from_numpy(to_bytes(image)).permute(2, 0, 1)[None].float() / 255  # as a file will hold it
    inverted = Inverted(torch.cat(levels), unconditional, settings.guidance_scale)
    reference = record(model, inverted, prompt, session.schedule, GENERATED, session.steps_of("drawing"))
    keep_reference(image, reference)
    return InvertedImage(image, reference, cached=False)


def _drawn(
    session: Session,
    prompt: str,
    size: tuple[int, int],
    maps: Sequence[ControlMap] = (),
    levels: list[Tensor] | None = None,
) -> tuple[Tensor, Embedding]:
    """The latent (1, C, h, w) that is drawn from words, and the texts of its unprompted row; `levels` gets those on the
    way."""
    model, settings = session.model, session.settings

    def remember(z: Tensor, level: int) -> Tensor:
        if levels is not None:
            levels.append(z)
        return z

    plain = Conditioning.plain(model, prompt, settings.steps, settings.guidance_scale)
    latent = sample(
        model,
        fresh_noise(model, size, settings.seed),
        session.schedule,
        plain.guided_by(settings.guider),
        stepping=session.stepping(),
        residuals=control_residuals(model, maps),
        callbacks=[remember],
        on_step=session.steps_of("drawing"),
    )
    return latent, plain.unconditional


def same_layout(session: Session, inverted: InvertedImage, prompt: str, controls: Sequence[ControlMap] = ()) -> Tensor:
    """A picture (1, 3, h, w) of another `prompt`, or of another seed, in the photo's layout: every object that both
    prompts name has the shape, the place and the size that it has in the photo."""
    targets = [
        _same_shape(inverted, located, session.model.span_positions(prompt, span))
        for located, span in same_objects(all_objects(session.model, inverted), prompt)
    ]
    energy = edit_energies(inverted.reference, targets, (), session.settings.weights)
    return _guided(session, inverted, prompt, energy, controls)


def same_appearance(session: Session, inverted: InvertedImage) -> Tensor:
    """A picture (1, 3, h, w) of the photo's objects as they look, wherever the seed puts them."""
    terms = [
        (session.settings.weights.look_alone, appearance_energy(each.tokens, inverted.reference, each.tokens))
        for each in all_objects(session.model, inverted)
    ]
    return _guided(session, inverted, inverted.prompt, WeightedSum(tuple(terms)))


def transfer_global_appearance(session: Session, photo: Photo, inverted: InvertedImage, other: InvertedImage) -> Photo:
    """A photo in the appearance of a whole other one, in its own colours and depth; what is transparent stays so."""
    pixels = photo.colours.to_srgb(photo.tensor())
    everywhere, everywhere_small = torch.ones_like(pixels[:, :1]), torch.ones_like(inverted.image[:, :1])
    colours = other.image[0].flatten(1).T
    small = recolour(inverted.image, everywhere_small, colours)
    drawn = session.model.decode(_guided_from(session, inverted, small, other)).cpu()
    result = transfer_detail(recolour(pixels, everywhere, colours), everywhere, drawn, small).clamp(0, 1)
    return photo.painted(photo.colours.from_srgb(result), everywhere, photo.opacity())


def same_objects(objects: Sequence[LocatedObject], prompt: str) -> list[tuple[LocatedObject, tuple[int, int]]]:
    """Objects of one prompt with the characters [start, end) that name them in another: the same phrase,
    else the only one that ends in the same word."""
    pairs = []
    for located in objects:
        named = [p for p in phrases(prompt) if p.lower() == located.phrase.lower()] or [
            p for p in phrases(prompt) if p.split()[-1].lower() == located.phrase.split()[-1].lower()
        ]
        if len(named) == 1:
            pairs.append((located, find_phrase(prompt, named[0])))
    return pairs


def _same_shape(inverted: InvertedImage, located: LocatedObject, tokens: tuple[int, ...]) -> ObjectTarget:
    """An object that stays where it is, and may look otherwise."""
    nothing = torch.zeros_like(inverted.image[:, :1])
    return ObjectTarget(located.tokens, tokens, (IDENTITY,), nothing, new_appearance=True)


def _guided(
    session: Session,
    inverted: InvertedImage,
    prompt: str,
    energy: WeightedSum,
    maps: Sequence[ControlMap] = (),
) -> Tensor:
    """A picture (1, 3, h, w) of a prompt from fresh noise, guided from the first step on."""
    model, settings = session.model, session.settings
    plain = Conditioning.plain(model, prompt, settings.steps, settings.draw_guidance_scale)
    conditioning = plain.guided_by(settings.guider)
    noise = fresh_noise(model, inverted.size, settings.seed)
    guidance = None
    if energy.terms:
        everywhere = torch.ones_like(noise[:, :1])
        guidance = Guidance(
            energy, everywhere, settings.draw_strength, settings.tolerance, GuidedSteps(0.0, settings.guided_until)
        )
    latent = sample(
        model,
        noise,
        session.schedule,
        conditioning,
        guidance=guidance,
        stepping=session.stepping(),
        residuals=control_residuals(model, maps),
        on_step=session.steps_of("drawing"),
    )
    return model.decode(latent).cpu()


def _guided_from(session: Session, inverted: InvertedImage, image: Tensor, other: InvertedImage) -> Tensor:
    """The latent (1, C, h, w) that is drawn from a recoloured photo `image` (1, 3, h, w), guided to the features of the
    whole other photo and to the shapes that the photo's own objects have."""
    model, settings = session.model, session.settings
    path = latent_path(session, inverted)
    everywhere = torch.ones_like(path.photo[:, :1])
    levels = noised_composite(path, model.encode(image), 0 * everywhere, settings.seed)
    first = int(settings.whole_from * settings.steps)
    kept = [_same_shape(inverted, each, each.tokens) for each in all_objects(model, inverted)]
    terms = edit_energies(inverted.reference, kept, (), settings.weights).terms
    energy = WeightedSum((*terms, (settings.weights.look_alone, global_appearance_energy(other.reference))))
    guidance = Guidance(
        energy,
        everywhere,
        settings.strength,
        settings.tolerance,
        GuidedSteps(settings.whole_from, settings.guided_until),
    )
    return sample(
        model,
        levels[first][None],
        path.schedule,
        photo_conditioning(model, inverted.reference).guided_by(settings.guider),
        walk=path.schedule.walk(first),
        guidance=guidance,
        on_step=session.steps_of("drawing"),
    )
