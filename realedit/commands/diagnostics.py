"""Does this work with a model, on this machine? Each check is a fact with a bound; together they are what the
tests show on random weights, shown again on those that a user has."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
import torch

from inversion.errors import RealEditError
from inversion.loading import plain_pipeline
from inversion.model import DiffusionModel
from inversion.pipeline import pipeline_arguments
from inversion.problem import Inverted
from inversion.taps import tap
from realedit.commands.demo import bundled_example
from realedit.editing.pipeline import edit
from realedit.edits import Move
from realedit.evaluation.metrics import ImageComparison, PerceptualMetric, compare_images
from realedit.evaluation.perceptual import perceptual_metric
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.sampling.energies import CentroidEnergy
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.inverted_image import InvertedImage, invert_photo, reconstruct
from realedit.sampling.prediction import Conditioning, Step
from realedit.sampling.sampler import sample
from realedit.sampling.session import Session
from realedit.settings import Settings, Strength

PROMPT, PHRASE, WORDS = "a photo of a red ball and a striped blue can on a wooden table", "striped blue can", 3
EQUALITY_STEPS = 5  # of the comparison with diffusers
# The relative difference in float32 on a CPU, and elsewhere, where diffusers rounds latents too.
EXACT_DIFFERENCE, CLOSE_DIFFERENCE = 0.0, 0.1
LARGEST_LOSS = 0.5  # dB under the autoencoder alone
LARGEST_MISS = 0.05  # of the frame


@dataclass(frozen=True)
class CheckResult:
    """What one check found: `passed`, and the numbers in words."""

    name: str
    passed: bool
    said: str
    seconds: float


@dataclass(frozen=True, eq=False)
class ModelUnderTest:
    """A model, and the bundled photo on which it is tried."""

    model: DiffusionModel
    settings: Settings
    offline: bool

    @property
    def session(self) -> Session:
        return Session(self.model, self.settings)

    @property
    def perceptual(self) -> PerceptualMetric:
        return perceptual_metric(self.model, offline=self.offline)

    def example(self) -> tuple[Photo, str, Move]:
        """The bundled photo, its prompt, and the edit of it."""
        path, move = bundled_example()
        photo = load_photo(path)
        return photo, photo.description or path.with_suffix(".txt").read_text().strip(), move


Verdict = tuple[bool, str]


def words(tested: ModelUnderTest) -> Verdict:
    """A phrase has its own tokens, and neither the marks nor the padding."""
    texts = tested.model.texts
    found, length = texts.positions(PROMPT, PHRASE), texts.length(PROMPT)
    inside = all(0 < k < length - 1 for k in found)
    return inside and len(found) >= WORDS, f'"{PHRASE}" is tokens {", ".join(map(str, found))} of {length}'


def equality(tested: ModelUnderTest) -> Verdict:
    """Without guidance the sampler is diffusers' own pipeline."""
    model = tested.model
    side = model.native_size // model.latent_factor
    noise = torch.randn(1, model.unet.config.in_channels, side, side, generator=torch.Generator().manual_seed(0))
    noise = noise.to(model.device)
    rows = Conditioning.plain(model, PROMPT, EQUALITY_STEPS, tested.settings.guidance_scale)
    ours = sample(model, noise, model.schedule(EQUALITY_STEPS), rows)
    arguments = pipeline_arguments(model, Inverted(noise, rows.unconditional, rows.guidance_scale), PROMPT)
    arguments = {k: v.to(model.unet.dtype) if isinstance(v, torch.Tensor) else v for k, v in arguments.items()}
    pipe = plain_pipeline(model)
    for part in ("vae", "text_encoder", "text_encoder_2"):  # not needed, perhaps of another type or elsewhere
        if getattr(pipe, part, None) is not None:
            setattr(pipe, part, None)
    theirs = pipe(**arguments, output_type="latent").images
    difference = ((ours - theirs.float()).norm() / theirs.float().norm()).item()
    bound = EXACT_DIFFERENCE if model.unet.dtype == torch.float32 and model.device.type == "cpu" else CLOSE_DIFFERENCE
    return difference <= bound, f"differs from diffusers by {difference:.2g} of the latent (at most {bound:g})"


def gradient(tested: ModelUnderTest) -> Verdict:
    """An energy of the attention has a finite gradient in the latent, and a step against it lowers the energy."""
    model, schedule = tested.model, tested.model.schedule(EQUALITY_STEPS)
    side = model.native_size // model.latent_factor
    z = torch.randn(1, model.unet.config.in_channels, side, side, generator=torch.Generator().manual_seed(1))
    z, i = z.to(model.device), EQUALITY_STEPS // 2
    targets = {name: torch.tensor((0.2, 0.5)).expand(EQUALITY_STEPS, 1, 2) for name in model.sites.attention}
    energy = CentroidEnergy(model.texts.positions(PROMPT, PHRASE), targets)
    guidance = Guidance(energy, torch.ones_like(z[:, :1]), Strength(), 0.0, GuidedSteps(0.0, 1.0))
    rows = Conditioning.plain(model, PROMPT, EQUALITY_STEPS, 1.0)
    slope, _ = Step(model, schedule, rows, i).energy_gradient(z, guidance)
    before = guidance.history[-1].energy
    if slope is None or not torch.isfinite(slope).all() or not slope.any():
        return False, f"energy {before:.3g}, whose gradient is zero or not finite"
    with torch.no_grad(), tap(model.unet, model.sites) as tape:
        model.predict(z - 0.1 * slope / slope.square().mean().sqrt(), schedule.timesteps[i], [rows.prompt])
        after = energy(tape, i).item()
    return after < before, f"energy {before:.4f} to {after:.4f} against its gradient"


def reconstruction(tested: ModelUnderTest) -> Verdict:
    """A photo comes back from its noise as the autoencoder alone gives it back."""
    photo, prompt, _ = tested.example()
    inverted = invert_photo(tested.session, photo, prompt)
    reached, bound = (found.psnr_db for found in reconstruction_quality(tested.model, inverted, tested.perceptual))
    return reached >= bound - LARGEST_LOSS, f"{reached:.2f} dB; the autoencoder alone {bound:.2f} dB"


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


def move(tested: ModelUnderTest) -> Verdict:
    """An object of the bundled photo goes where it is asked to, and the rest stays."""
    photo, prompt, asked = tested.example()
    edited = edit(tested.model, photo, prompt, asked, settings=tested.settings, perceptual=tested.perceptual)
    report = edited.report
    (found,) = report.objects
    kept = report.outside.identical
    if found.reached_position is None or found.asked_position is None:
        return False, f"the model does not see it at its new place: {found.note}"
    miss = max(abs(a - b) for a, b in zip(found.reached_position, found.asked_position, strict=True))
    said = f"{miss:.3f} of the frame from its place, outside {'identical' if kept else 'CHANGED'}"
    return miss <= LARGEST_MISS and kept, said


CHECKS: dict[str, Callable[[ModelUnderTest], Verdict]] = {
    "words": words,
    "equality": equality,
    "gradient": gradient,
    "reconstruction": reconstruction,
    "move": move,
}


def run_checks(tested: ModelUnderTest) -> Iterator[CheckResult]:
    """Every check in turn; one that raises something that a user can mend has failed."""
    for name, check in CHECKS.items():
        began = time.perf_counter()
        try:
            passed, said = check(tested)
        except RealEditError as error:
            passed, said = False, str(error)
        yield CheckResult(name, passed, said, time.perf_counter() - began)


def peak_memory(device: torch.device) -> int:
    """Bytes that were in use at most: of a GPU's own, or of this process (where that is not kept: now)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return psutil.Process().memory_info().rss
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
