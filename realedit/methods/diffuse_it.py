"""DiffuseIT (Kwon and Ye, arXiv 2209.15264): the photo from a noised state, under words, while the predicted picture
keeps the photo's structure as a vision transformer sees it, and takes the look of another picture if there is one.

Words act by classifier-free guidance, where the paper asks five CLIPs; and the gradient joins the noise with a length
that follows from how the energy falls, where the paper's is fixed for pixels of 256."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.model import DiffusionModel
from inversion.schedule import ddim_step
from inversion.taps import Tape
from realedit.engines import DiffuseIT
from realedit.files.reading import load_photo
from realedit.methods.sampler_run import SamplerRun, Task
from realedit.sampling.descriptors import EncoderDescriptor, PictureDescriptor
from realedit.sampling.energies import Energy, WeightedSum
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.inverted_image import model_image
from realedit.sampling.stepping import DdimSteps
from realedit.settings import Strength

CONTRAST_TEMPERATURE = 0.07  # of the contrast between places
CONTRAST_WEIGHT, SIMILARITY_WEIGHT, LOOK_WEIGHT, TONE_WEIGHT = 0.2, 1.0, 2.0, 3.0  # the paper's weights, in thousands
PULL = Strength(start=0.3, least=0.05, most=1.0)
STRUCTURE_MET = 0.01  # an energy that needs no more


@dataclass(frozen=True, eq=False)
class StructureEnergy:
    """How far the predicted picture's places are from those of the photo, `places` (n, C): by contrast each is to be
    most like the same place, and all are to be as like each other as there."""

    model: DiffusionModel
    descriptor: PictureDescriptor
    places: Tensor

    def __call__(self, tape: Tape, i: int) -> Tensor:
        assert tape.clean is not None
        now = F.normalize(self.descriptor(self.model.picture(tape.clean))[0], dim=-1)
        then = F.normalize(self.places, dim=-1)
        contrast = F.cross_entropy(now @ then.T / CONTRAST_TEMPERATURE, torch.arange(len(now), device=now.device))
        least = F.cross_entropy(then @ then.T / CONTRAST_TEMPERATURE, torch.arange(len(now), device=now.device))
        similarity = (now @ now.T - then @ then.T).square().mean()
        return CONTRAST_WEIGHT * (contrast - least).clamp(min=0) + SIMILARITY_WEIGHT * similarity


@dataclass(frozen=True, eq=False)
class LookEnergy:
    """How far what all of the predicted picture shows is from the `look` (1, D) of another, in units of its spread, and
    its pixels' mean and spread from those of that `picture` (1, 3, h, w)."""

    model: DiffusionModel
    descriptor: PictureDescriptor
    look: Tensor
    picture: Tensor

    def __call__(self, tape: Tape, i: int) -> Tensor:
        assert tape.clean is not None
        now = self.model.picture(tape.clean)
        away = (self.descriptor(now)[1] - self.look).square().mean() / self.look.square().mean().clamp(min=1e-6)
        return LOOK_WEIGHT * away + TONE_WEIGHT * (_tone(now) - _tone(self.picture.to(now))).square().mean()


def _tone(picture: Tensor) -> Tensor:
    """The mean and the spread of each channel."""
    return torch.cat((picture.mean((-2, -1)), picture.std((-2, -1))))


def diffuse_it(task: Task, engine: DiffuseIT) -> SamplerRun:
    """Raises `PhotoError` if the other picture cannot be read."""
    session, latent = task.session, task.latent
    model, schedule = session.model, session.schedule
    descriptor = session.descriptor or EncoderDescriptor(model)
    generator = torch.Generator().manual_seed(session.settings.seed)
    noise = torch.randn(latent.shape, generator=generator).to(latent.device)
    levels = torch.cat([*(ddim_step(latent, noise, alpha) for alpha in schedule.alpha_from), latent])
    first = len(schedule) - max(1, round(engine.strength * len(schedule)))
    with torch.no_grad():
        terms: list[tuple[float, Energy]] = [(1.0, StructureEnergy(model, descriptor, descriptor(task.image)[0]))]
        if engine.like is not None:
            other = model_image(model, load_photo(Path(engine.like)))
            terms.append((1.0, LookEnergy(model, descriptor, descriptor(other)[1], other)))
    begin = first / len(schedule)
    guidance = Guidance(WeightedSum(tuple(terms)), task.cells, PULL, STRUCTURE_MET, GuidedSteps(begin, engine.until))
    return SamplerRun(
        levels[first : first + 1],
        task.rows(engine.guidance_scale),
        (*(first, first + 1) * (engine.first_again - 1), *schedule.walk(first)),
        DdimSteps(engine.eta, generator),
        guidance,
        callbacks=[task.held(levels)],
    )
