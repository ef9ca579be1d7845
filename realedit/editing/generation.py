"""Whole pictures: drawn from words alone, or from a photo with its layout or its look kept."""

from collections.abc import Callable

import torch
from torch import Tensor

from inversion.ddim import Inverted, silent
from inversion.model import DiffusionModel
from inversion.phrases import find_phrase, phrases
from inversion.record import record
from realedit.appearance.detail_transfer import transfer_detail
from realedit.appearance.recolouring import recolour
from realedit.files.photo import Photo
from realedit.geometry.transform import IDENTITY
from realedit.images import to_bytes
from realedit.objects.grounding import Found, all_objects
from realedit.sampling.energies import (
    ObjectTarget,
    WeightedSum,
    appearance_energy,
    edit_energies,
    global_appearance_energy,
)
from realedit.sampling.guidance import Guidance
from realedit.sampling.inverted_image import GENERATED, InvertedImage, keep_reference, photo_conditioning
from realedit.sampling.latent_blending import noised_composite
from realedit.sampling.noising import fresh_noise
from realedit.sampling.sampler import Conditioning, sample
from realedit.settings import Settings


def generate(
    model: DiffusionModel,
    prompt: str,
    size: tuple[int, int],
    settings: Settings,
    on_step: Callable[[int], None] = silent,
) -> InvertedImage:
    """Draw a picture from words and keep the way to it as its reference, so that it can be edited without
    inversion: the latents it went through are its pivots."""
    schedule = model.schedule(settings.steps)
    empty = model.unprompted().repeat(settings.steps)
    levels: list[Tensor] = []

    def remember(z: Tensor, level: int) -> Tensor:
        levels.append(z)
        return z

    noise = fresh_noise(model, size, settings.seed)
    rows = Conditioning(model.embed(prompt), empty, settings.guidance_scale)
    latent = sample(model, noise, schedule, rows, callbacks=[remember], on_step=on_step)
    picture = model.decode(latent).cpu()
    picture = torch.from_numpy(to_bytes(picture)).permute(2, 0, 1)[None].float() / 255  # as a file will hold it
    inverted = Inverted(torch.cat(levels), empty, settings.guidance_scale)
    reference = record(model, inverted, prompt, schedule, GENERATED, on_step)
    keep_reference(picture, reference)
    return InvertedImage(picture, reference, cached=False)


def same_layout(
    model: DiffusionModel,
    seen: InvertedImage,
    prompt: str,
    seed: int,
    settings: Settings,
    on_step: Callable[[int], None] = silent,
) -> Tensor:
    """A picture (1, 3, h, w) of another `prompt` or seed in the photo's layout: every object that both
    prompts name has the shape, the place and the size that it has in the photo."""
    objects = all_objects(model, seen)
    nothing = torch.zeros_like(seen.image[:, :1])
    wanted = [
        ObjectTarget(found.words, model.span_positions(prompt, span), (IDENTITY,), nothing, new_appearance=True)
        for found, span in same_objects(objects, prompt)
    ]
    energy = edit_energies(seen.reference, wanted, (), settings.weights)
    return _guided(model, seen, prompt, energy, seed, settings, on_step)


def same_appearance(
    model: DiffusionModel, seen: InvertedImage, seed: int, settings: Settings, on_step: Callable[[int], None] = silent
) -> Tensor:
    """A picture (1, 3, h, w) of the photo's objects in their own looks, wherever the seed puts them."""
    terms = [
        (settings.weights.look_alone, appearance_energy(o.words, seen.reference, o.words))
        for o in all_objects(model, seen)
    ]
    return _guided(model, seen, seen.reference.header.prompt, WeightedSum(tuple(terms)), seed, settings, on_step)


def transfer_global_appearance(
    model: DiffusionModel,
    photo: Tensor,
    seen: InvertedImage,
    other: InvertedImage,
    settings: Settings,
    on_step: Callable[[int], None] = silent,
) -> Tensor:
    """A photo (1, 3, H, W) in the look of a whole other one: its colours take on that one's distribution,
    then the model draws from there, guided to the other's features and to the photo's own shapes."""
    everywhere = torch.ones_like(seen.image[:, :1])
    colours = other.image[0].flatten(1).T
    small = recolour(seen.image, everywhere, colours)
    reference, schedule = seen.reference, model.schedule(settings.steps)
    pivots, latent = reference.pivots.to(model.device), model.encode(seen.image)
    generator = torch.Generator().manual_seed(settings.seed)
    levels = noised_composite(
        pivots, latent, model.encode(small), schedule, (), torch.zeros_like(latent[:, :1]), generator
    )
    first = int(settings.whole_from * settings.steps)
    kept = [
        ObjectTarget(o.words, o.words, (IDENTITY,), 0 * everywhere, new_appearance=True)
        for o in all_objects(model, seen)
    ]
    terms = edit_energies(reference, kept, (), settings.weights).terms
    energy = WeightedSum((*terms, (settings.weights.look_alone, global_appearance_energy(other.reference))))
    region = torch.ones_like(latent[:, :1])
    guidance = Guidance(
        energy, region, settings.strength, settings.tolerance, settings.whole_from, settings.guided_until
    )
    drawn = sample(
        model,
        levels[first][None],
        schedule,
        photo_conditioning(model, reference),
        first=first,
        guidance=guidance,
        on_step=on_step,
    )
    large = torch.ones_like(photo[:, :1])
    rough = recolour(photo, large, colours)
    return transfer_detail(rough, large, model.decode(drawn).cpu(), small).clamp(0, 1)


def transfer_global_appearance_photo(
    model: DiffusionModel,
    photo: Photo,
    seen: InvertedImage,
    other: InvertedImage,
    settings: Settings,
    on_step: Callable[[int], None] = silent,
) -> Photo:
    """`transfer_global_appearance` for a photo in its own colours and depth; what is transparent stays so."""
    result = transfer_global_appearance(model, photo.colours.to_srgb(photo.tensor()), seen, other, settings, on_step)
    return photo.painted(photo.colours.from_srgb(result), torch.ones_like(result[:, :1]), photo.opacity())


def same_objects(objects: list[Found], prompt: str) -> list[tuple[Found, tuple[int, int]]]:
    """Objects of one prompt with the characters [start, end) that name them in another: the same phrase,
    else the only one that ends in the same word."""
    pairs = []
    for found in objects:
        named = [p for p in phrases(prompt) if p.lower() == found.phrase.lower()] or [
            p for p in phrases(prompt) if p.split()[-1].lower() == found.phrase.split()[-1].lower()
        ]
        if len(named) == 1:
            pairs.append((found, find_phrase(prompt, named[0])))
    return pairs


def _guided(
    model: DiffusionModel,
    seen: InvertedImage,
    prompt: str,
    energy: WeightedSum,
    seed: int,
    settings: Settings,
    on_step: Callable[[int], None],
) -> Tensor:
    schedule = model.schedule(settings.steps)
    empty = model.unprompted().repeat(settings.steps)
    rows = Conditioning(model.embed(prompt), empty, settings.draw_guidance_scale)
    noise = fresh_noise(model, (seen.image.shape[-1], seen.image.shape[-2]), seed)
    everywhere = torch.ones_like(noise[:, :1])
    guidance = None
    if energy.terms:
        guidance = Guidance(energy, everywhere, settings.draw_strength, settings.tolerance, 0.0, settings.guided_until)
    latent = sample(model, noise, schedule, rows, guidance=guidance, on_step=on_step)
    return model.decode(latent).cpu()
