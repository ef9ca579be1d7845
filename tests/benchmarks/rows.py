"""The contestants: each makes its picture of a case, with the same model and the same request."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from inversion import ddim
from inversion.errors import EditError, RecognitionError
from inversion.model import DiffusionModel
from inversion.problem import InversionProblem
from inversion.record import record
from inversion.reference import Reference
from realedit.editing.pipeline import edit
from realedit.evaluation.metrics import PerceptualMetric
from realedit.files.photo import Photo
from realedit.geometry.camera import Camera
from realedit.geometry.object_pose import object_pose
from realedit.geometry.transform import Placement
from realedit.geometry.warp import warp
from realedit.images import to_bytes
from realedit.objects.grounding import other_objects
from realedit.sampling.energies import CentroidEnergy, ObjectTarget, WeightedSum, edit_energies
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.inverted_image import InvertedImage, photo_conditioning
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.settings import DEFAULTS, Settings
from tests.benchmarks.cases import Case
from tests.benchmarks.textbook import PublishedRule, forward_noised

MASK_GROWTH = 5  # pixels by which the classical row widens its hole, so that no rim stays
INPAINT_RADIUS = 5  # pixels
TUNED_V = 1500.0  # the best of 60, 300, 700, 1500 and the published 7500 for the bundled model, on other scenes


@dataclass(frozen=True, eq=False)
class Outcome:
    """A picture (1, 3, H, W), what the contestant says it touched (None: nothing said), and its cost."""

    picture: Tensor
    touched: Tensor | None
    forward_equivalents: float
    seconds: float


Row = Callable[[Case], tuple[Tensor, Tensor | None]]


def measured(row: Row, case: Case, model: DiffusionModel) -> Outcome:
    """Let one contestant work, with its cost counted at the network."""
    began = time.perf_counter()
    with model.metered() as meter:
        picture, touched = row(case)
    return Outcome(picture, touched, meter.forward_equivalents, time.perf_counter() - began)


def do_nothing(case: Case) -> tuple[Tensor, Tensor | None]:
    return case.before, None


def cut_paste_inpaint(case: Case) -> tuple[Tensor, Tensor | None]:
    """Classical: inpaint the old place (Telea 2004), set the object's pixels down at the new one. It is
    given the true mask, which no other row is."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * MASK_GROWTH + 1,) * 2)
    hole = cv2.dilate((case.source[0, 0].numpy() > 0.5).astype(np.uint8), kernel)
    photo = np.ascontiguousarray(to_bytes(case.before))
    filled = cv2.inpaint(photo, hole, INPAINT_RADIUS, cv2.INPAINT_TELEA)
    return set_down(case, torch.from_numpy(filled).permute(2, 0, 1)[None].float() / 255), None


def set_down(case: Case, background: Tensor) -> Tensor:
    """The object's own pixels at their new place on a background (1, 3, H, W)."""
    placement = placement_of(case)
    alpha = warp(case.source, placement)
    return warp(case.before * case.source, placement) + (1 - alpha) * background


def placement_of(case: Case) -> Placement:
    height, width = case.source.shape[-2:]
    return case.edit.placement(object_pose(case.source, Camera((width, height))))


def textbook(model: DiffusionModel, settings: Settings = DEFAULTS, v: float = TUNED_V) -> Row:
    """The paper's energies and weights as it edits real photos: every object's look, the others'
    shapes, the edited one's shape where it shall be; forward-noised references; fresh noise."""

    def row(case: Case) -> tuple[Tensor, Tensor | None]:
        schedule, latent = model.schedule(settings.steps), model.encode(case.before)
        reference = forward_noised(model, latent, case.prompt, schedule, settings.guidance_scale, settings.seed)
        weights = replace(settings.weights, ghost=0.0)  # the paper has no such term
        energy = energies(model, case, reference, replace(settings, weights=weights))
        noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(settings.seed + 1))
        rows = photo_conditioning(model, reference)
        return model.decode(sample(model, noise, schedule, rows, guidance=PublishedRule(energy, v))), None

    return row


def energies(model: DiffusionModel, case: Case, reference: Reference, settings: Settings) -> WeightedSum:
    seen = InvertedImage(case.before, reference, cached=False)
    words = model.positions(case.prompt, case.edit.object)
    others = [o.tokens for o in other_objects(model, seen, [case.edit.object])]
    vacated = torch.zeros_like(case.source)
    return edit_energies(
        reference, [ObjectTarget(words, words, (placement_of(case),), vacated)], others, settings.weights
    )


def centroid_only(model: DiffusionModel, settings: Settings = DEFAULTS) -> Row:
    """What comparisons in the literature run under the name of self-guidance: a centroid term alone, on
    DDIM inversion with the empty text beside the prompt."""

    def row(case: Case) -> tuple[Tensor, Tensor | None]:
        schedule, latent = model.schedule(settings.steps), model.encode(case.before)
        inverted = ddim.invert(InversionProblem(model, latent, case.prompt, schedule, settings.guidance_scale))
        reference = record(model, inverted, case.prompt, schedule, "ddim")
        full = energies(model, case, reference, settings)
        centroid = next(energy for _, energy in full.terms if isinstance(energy, CentroidEnergy))
        everywhere = torch.ones_like(latent[:, :1])
        guidance = Guidance(centroid, everywhere, settings.strength, 0.005, GuidedSteps(0.0, 0.8))
        rows = Conditioning(model.embed(case.prompt), inverted.unconditional, settings.guidance_scale)
        return model.decode(sample(model, inverted.pivots[:1], schedule, rows, guidance=guidance)), None

    return row


def realedit(model: DiffusionModel, perceptual: PerceptualMetric, settings: Settings = DEFAULTS) -> Row:
    """The program as a user runs it: the photo, its caption, and the words of the object. An edit that
    is refused counts as the photo unchanged."""

    def row(case: Case) -> tuple[Tensor, Tensor | None]:
        photo = Photo(to_bytes(case.before))
        try:
            edited = edit(model, photo, case.prompt, case.edit, settings=settings, perceptual=perceptual)
        except (EditError, RecognitionError):
            return case.before, None
        return edited.photo.tensor(), edited.editable

    return row
