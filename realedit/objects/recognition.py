"""Whether the model knows a photo, and sees in it what words name; told in some twenty network passes, before anything
is inverted.

Both are ratios of noise-prediction errors of the same model, so that no threshold belongs to one model. A denoiser is
nearly optimal on what it was trained on, and beats linear filters there; on other photos it falls back to little more.
Words that name what is there let it predict the noise better than no words do (a diffusion classifier, Li et al., arXiv
2303.16203), and wrong or meaningless ones worse.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.errors import RecognitionError
from inversion.model import DiffusionModel
from inversion.properties import above_floor
from inversion.schedule import ddim_step
from inversion.taps import tap
from inversion.text import Embedding
from inversion.weights import BUNDLED
from realedit.objects.grounding import unique_phrases
from realedit.sampling.attention import phrase_map
from realedit.sampling.noising import noised_latents
from realedit.sampling.prompts import object_prompt
from realedit.sampling.session import Session

# Fractions of the schedule. Photos are told apart where structure is seen and detail is not, words from earlier on.
PHOTO_LEVELS, WORD_LEVELS = (0.6, 0.75), (0.3, 0.6, 0.75)
RENDITION_STEPS, RENDITION_FROM = 10, 2  # a photo is drawn again from this one of so many steps on
# Of the error on the model's own rendition of a photo: with `tabletop` 0.7 in the median of rendered tables (at most
# 1.4), 2.2 in that of other photos. A model on photos of its own kind is near 1 by construction.
MOST_UNFAMILIAR = 1.5
ATTENDED_CORE = 0.5  # of the peak of attention: the cells in which words are tested
# Of the mean attention outside a given mask, how much there is inside from which both are of the same thing. With maps
# blurred and uneven until half of their peak overlaps objects by 0.3, it is 3.7 and more inside true masks, and at most
# 1.6 inside those of other objects.
AGREEMENT = 2.0
# Of the error inside a given mask, what true words save at least with `tabletop`: 0.13 and more of objects on its
# tables, at most 0.08 with any word that was tried on a dark photo, which it takes for one of its own. What words save
# with other models was not measured, so anything counts there.
LEAST_SAVED = 0.1
PROBE_SEED = 0  # of all noise here: what a model knows does not depend on the seed of a run


def require_words(session: Session, image: Tensor, prompt: str, phrases: Sequence[str]) -> None:
    """Go on if each of some phrases of the prompt can be found by its words in an `image` (1, 3, h, w) at the model's
    size.

    Raises:
        RecognitionError: the model does not know the image, or does not see one of them there.
        PhraseError: the prompt does not contain one exactly once, or it is cut off.
    """
    for phrase in phrases:
        session.model.positions(prompt, phrase)
    known = not phrases or knows_photo(session, image)
    for phrase in phrases:
        if not known or not probe_words(session, image, prompt, phrase).sees():
            raise RecognitionError(
                f'{_limits(session.model)} does not see "{phrase}" in this photo; '
                "mark it with --mask, --box or --point, or use another --model"
            )


def require_known(session: Session, image: Tensor, prompt: str) -> None:
    """Go on if the model knows an `image` (1, 3, h, w) at its size and sees anything there that the prompt names.

    Raises:
        RecognitionError: it does not.
    """
    if knows_photo(session, image):
        named = unique_phrases(session.model, prompt)
        if not named or any(probe_words(session, image, prompt, phrase).sees() for phrase in named):
            return
    seen = f'see "{prompt}" in' if prompt else "know"
    raise RecognitionError(
        f"{_limits(session.model)} does not {seen} this photo; say what it shows, or use another --model"
    )


def _limits(model: DiffusionModel) -> str:
    """The model as the subject of a sentence about what it does not see."""
    return "the bundled model knows rendered table scenes only and" if model.name == BUNDLED else f"{model.name}"


def may_know(model: DiffusionModel, image: Tensor) -> bool:
    """Whether a model may know an image (1, 3, h, w) at its size, as far as that is told without loading it."""
    return model.pictures is None or model.pictures.may_hold(image)


def knows_photo(session: Session, image: Tensor) -> bool:
    """Whether an image (1, 3, h, w) at the model's size is of the kind that the model draws."""
    return unfamiliarity(session, image) <= MOST_UNFAMILIAR


@torch.no_grad()
def unfamiliarity(session: Session, image: Tensor) -> float:
    """How much worse, as a factor, the model predicts the noise added to an image (1, 3, h, w) than that added to its
    own rendition of it, which no words guide; each against a linear filter, so that smooth pictures gain nothing."""
    latent = session.model.encode(image)
    return _relative_error(session, latent) / _relative_error(session, _rendition(session, latent))


@dataclass(frozen=True, eq=False)
class WordProbe:
    """How well noise over an image is predicted with words: `saved` (levels, 2, h, w) of the squared error `without`
    (levels, 1, h, w) them by the whole prompt and by the phrase alone; and their `attention` (1, 1, h, w). Of the error
    inside a given mask true words save more than `least`."""

    saved: Tensor
    without: Tensor
    attention: Tensor
    least: float = 0.0

    def sees(self, mask: Tensor | None = None) -> bool:
        """Whether the words are true where they attend; with a `mask` (1, 1, H, W), whether they are true of what it
        shows, and attend to that rather than to anything else. How well they outline it is not asked."""
        if mask is None:
            return self.gain(self.attention > ATTENDED_CORE * self.attention.max()) > 0
        region = F.interpolate(mask.to(self.attention.device), size=self.attention.shape[-2:], mode="area") > 0.5
        return self.agreement(region) >= AGREEMENT and self.gain(region) > self.least

    def agreement(self, region: Tensor) -> float:
        """The mean attention in a region (1, 1, h, w), of that outside, above what there is everywhere."""
        above = above_floor(self.attention)
        inside, outside = above[region], above[~region]
        if not len(inside) or not len(outside):
            return 0.0
        return float(inside.mean() / outside.mean().clamp(min=1e-9))

    def gain(self, region: Tensor) -> float:
        """The share of the error in a region (1, 1, h, w) that words save, the mean over levels and both texts."""
        saved, without = ((errors * region).sum((-2, -1)) for errors in (self.saved, self.without))
        return float((saved / without.clamp(min=1e-9)).mean())


@torch.no_grad()
def probe_words(session: Session, image: Tensor, prompt: str, phrase: str) -> WordProbe:
    """Try a phrase of the prompt on an image (1, 3, h, w) that the model knows."""
    model = session.model
    latent, tokens = model.encode(image), model.positions(prompt, phrase)
    alone = object_prompt({phrase: phrase}, "").prompt
    texts = [model.embed(prompt), model.embed(alone), model.unprompted()]
    errors, maps = [], []
    with tap(model.unet, model.sites) as tape:
        for level in _error_maps(session, latent, texts, WORD_LEVELS):
            errors.append(level[:, 0])
            maps.append(phrase_map({name: read[:1] for name, read in tape.attention.items()}, tokens))
    attention = F.interpolate(torch.stack(maps), size=latent.shape[-2:], mode="bilinear").mean(0, keepdim=True)
    with_words, without = torch.stack(errors).split((2, 1), dim=1)
    least = LEAST_SAVED if model.name == BUNDLED else 0.0
    return WordProbe(without - with_words, without, attention, least)


def _error_maps(
    session: Session, latent: Tensor, texts: Sequence[Embedding], levels: Sequence[float]
) -> Iterator[Tensor]:
    """The squared error (texts, 1, h, w) of the noise predicted under each text, at each of some levels in turn."""
    parameterisation = session.schedule.parameterisation
    for noised in noised_latents(latent, session.schedule, levels, PROBE_SEED):
        outputs = session.model.predict(noised.z, noised.timestep, texts)
        _, noise = parameterisation.split(outputs, noised.z, noised.alpha)
        yield (noise - noised.noise).square().mean(1, keepdim=True)


def _relative_error(session: Session, latent: Tensor) -> float:
    """The error of the noise predicted without words, of that of a linear filter, averaged over levels."""
    text, schedule = [session.model.unprompted()], session.schedule
    errors = [float(maps.mean()) for maps in _error_maps(session, latent, text, PHOTO_LEVELS)]
    noised = noised_latents(latent, schedule, PHOTO_LEVELS, PROBE_SEED)
    linear = [linear_error(latent, float(each.alpha)) for each in noised]
    return sum(e / max(f, 1e-9) for e, f in zip(errors, linear, strict=True)) / len(errors)


def linear_error(latent: Tensor, alpha: float) -> float:
    """The mean squared error of the noise that a Wiener filter finds in a latent (1, C, h, w) noised to the level
    `alpha`, if it knows the latent's own power at every spatial frequency, whatever its direction."""
    centred = latent - latent.mean((-2, -1), keepdim=True)
    power = torch.fft.fft2(centred, norm="ortho").abs().square()[0]
    height, width = power.shape[-2:]
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width)[None]
    rings = ((down.square() + across.square()).sqrt() * min(height, width)).round().long().flatten().to(latent.device)
    count = torch.bincount(rings).clamp(min=1)
    sums = torch.zeros(len(power), len(count), device=latent.device).index_add_(1, rings, power.flatten(1))
    smooth = (sums / count)[:, rings]
    return float((alpha * smooth / (alpha * smooth + 1 - alpha)).mean())


def _rendition(session: Session, latent: Tensor) -> Tensor:
    """A latent (1, C, h, w) mostly lost in noise, and drawn to its end by the model without words (SDEdit, Meng et al.,
    arXiv 2108.01073)."""
    model, schedule = session.model, session.model.schedule(min(RENDITION_STEPS, session.model.most_steps))
    text, first = [model.unprompted()], min(RENDITION_FROM, len(schedule) - 1)
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(PROBE_SEED + 1)).to(latent.device)
    z = ddim_step(latent, noise, schedule.alpha_from[first])
    for i in range(first, len(schedule)):
        z = schedule.down(z, model.predict(z, schedule.timesteps[i], text), i)
    return z
