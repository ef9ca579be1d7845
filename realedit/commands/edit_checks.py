"""Checks of what a model makes of photos: a reconstruction, masks by words, a move in every mode."""

from dataclasses import replace
from statistics import fmean

import torch

from inversion.model import DiffusionModel
from realedit.commands.model_under_test import ModelUnderTest, Verdict
from realedit.editing.pipeline import edit
from realedit.evaluation.metrics import ImageComparison, PerceptualMetric, compare_images
from realedit.sampling.inverted_image import InvertedImage, invert_photo, reconstruct
from realedit.settings import Mode

LARGEST_LOSS = 0.5  # dB under the autoencoder alone
LARGEST_MISS = 0.05  # of the frame
LEAST_OVERLAP = 0.5  # IoU: a mask by words that is worse misses its object


def reconstruction(tested: ModelUnderTest) -> Verdict:
    """A photo comes back from its noise as the autoencoder alone gives it back."""
    photo, prompt, _ = tested.example()
    inverted = invert_photo(tested.session, photo, prompt)
    reached, bound = (found.psnr_db for found in reconstruction_quality(tested.model, inverted, tested.perceptual))
    numbers = {"psnr_db": reached, "autoencoder_psnr_db": bound}
    said = f"{reached:.2f} dB; the autoencoder alone {bound:.2f} dB"
    return Verdict(reached >= bound - LARGEST_LOSS, said, numbers)


def reconstruction_quality(
    model: DiffusionModel, inverted: InvertedImage, perceptual: PerceptualMetric
) -> tuple[ImageComparison, ImageComparison]:
    """How near to a photo it comes back from its noise, and how near the autoencoder alone gives it back, which is the
    best that any inversion can do."""
    image, everywhere = inverted.image, torch.ones_like(inverted.image[:, :1])
    encoded = model.decode(model.encode(image)).cpu()
    rebuilt = reconstruct(model, inverted.reference)
    best = compare_images(image, encoded, everywhere, perceptual)
    return compare_images(image, rebuilt, everywhere, perceptual), best


def masks(tested: ModelUnderTest) -> Verdict:
    """Words find the objects whose masks are known; how well they attend to them, layer by layer, is told beside it."""
    found = {known: known.quality(tested.session) for known in tested.known}
    good = sum(quality.near >= LEAST_OVERLAP for quality in found.values())
    near, attention = (fmean(values) for values in zip(*((q.near, q.attention) for q in found.values()), strict=True))
    believed = sum(quality.believed for quality in found.values())
    said = f"{good} of {len(found)} found by words, masks overlap by {near:.2f} (IoU), attention by {attention:.2f}; "
    numbers = {f"{known.name}: {what}": value for known, q in found.items() for what, value in q.numbers().items()}
    return Verdict(good == len(found), f"{said}{believed} believed where they are marked", numbers)


def move(tested: ModelUnderTest) -> Verdict:
    """An object of the bundled photo goes where it is asked to by its own pixels, and the rest stays."""
    return _moved(tested, Mode.COMPOSITE)


def regenerate(tested: ModelUnderTest) -> Verdict:
    """It goes there by self-guidance alone."""
    return _moved(tested, Mode.REGENERATE)


def _moved(tested: ModelUnderTest, mode: Mode) -> Verdict:
    photo, prompt, asked = tested.example()
    settings = replace(tested.settings, mode=mode)
    edited = edit(tested.model, photo, prompt, asked, settings=settings, perceptual=tested.perceptual)
    report = edited.report
    (found,) = report.objects
    kept = report.outside.identical
    if found.reached_position is None or found.asked_position is None:
        return Verdict(False, f"the model does not see it at its new place: {found.note}")
    miss = max(abs(a - b) for a, b in zip(found.reached_position, found.asked_position, strict=True))
    said = f"{miss:.3f} of the frame from its place, outside {'identical' if kept else 'CHANGED'}"
    numbers = {"miss": miss, "evaluations": report.evaluations}
    return Verdict(miss <= LARGEST_MISS and kept, f"{said}, {report.evaluations:.0f} evaluations", numbers)
