"""Classifier guidance (Dhariwal and Nichol, arXiv 2105.05233, algorithm 2): the noise follows the gradient of a
classifier's log-probability, of the noisy latent or of the clean one that is predicted."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.schedule import Schedule
from inversion.weights import bundled_samples
from realedit.engines import ClassGuidance
from realedit.methods.latent_classifier import LatentClassifier, load_classifier
from realedit.sampling.session import StepGuide
from realedit.sampling.stepping import StepRule

BUNDLED_CLASSIFIER = "classifier"  # its folder, beside the bundled model's


@dataclass(frozen=True, eq=False)
class ClassifierSteps:
    """A step rule: before each step of `inner` the predicted noise becomes eps - scale sqrt(1 - ab) grad log p, where p
    is that all `words` are there. The classifier sees the latent, or where it looks at the `predicted` one, that: then
    the noise is taken for given, so that the gradient is 1 / sqrt(ab) times that in the clean latent and needs no pass
    back through the network."""

    classifier: LatentClassifier
    words: tuple[str, ...]
    scale: float
    predicted: bool
    inner: StepRule

    def down(self, schedule: Schedule, z: Tensor, output: Tensor, i: int) -> Tensor:
        alpha_bar = schedule.alpha_from[i]
        shift = -self.scale * (1 - alpha_bar) ** 0.5 * self.gradient(schedule, z, output, i)
        return self.inner.down(schedule, z, output + schedule.parameterisation.from_noise_shift(shift, alpha_bar), i)

    def up(self, schedule: Schedule, z: Tensor, level: int, to: int) -> Tensor:
        return self.inner.up(schedule, z, level, to)

    def gradient(self, schedule: Schedule, z: Tensor, output: Tensor, i: int) -> Tensor:
        """Of log p in the latent (1, C, h, w), at step `i` where the network gave out `output`."""
        alpha_bar = schedule.alpha_from[i]
        seen, level, factor = z, alpha_bar, torch.ones(())
        if self.predicted:
            seen, _ = schedule.parameterisation.split(output, z, alpha_bar)
            level, factor = torch.ones(()), alpha_bar**-0.5
        with torch.enable_grad():
            seen = seen.detach().requires_grad_()
            (found,) = torch.autograd.grad(self.classifier.log_probability(seen, level, self.words).sum(), seen)
        return factor * found


def guiding_classes(model: DiffusionModel, asked: ClassGuidance) -> StepGuide:
    """What puts the classifier around step rules.

    Raises:
        ModelError: the classifier cannot be had, or is of another model.
        EditError: it lacks a class.
    """
    folder = Path(asked.classifier) if asked.classifier else bundled_samples() / BUNDLED_CLASSIFIER
    classifier = load_classifier(folder, model)
    for word in asked.words:
        classifier.position(word)
    return lambda inner: ClassifierSteps(classifier, asked.words, asked.scale, asked.predicted, inner)
