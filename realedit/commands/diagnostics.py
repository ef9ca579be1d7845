"""Does this work with a model, on this machine? Each check is a fact with a bound; together they are what the
tests show on random weights, shown again on those that a user has."""

import json
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
from inversion.weights import bundled_samples
from realedit.editing.pipeline import edit_photo
from realedit.editing.request import EditRequest
from realedit.edits import Move
from realedit.evaluation.metrics import compare
from realedit.evaluation.perceptual import perceptual_metric
from realedit.files.reading import load_photo
from realedit.images import working_size
from realedit.sampling.energies import CentroidEnergy
from realedit.sampling.guidance import Guidance
from realedit.sampling.inverted_image import invert_image, reconstruct
from realedit.sampling.sampler import Conditioning, energy_gradient, sample
from realedit.settings import Settings, Strength

PROMPT, PHRASE, WORDS = "a photo of a red ball and a striped blue can on a wooden table", "striped blue can", 3
EQUALITY_STEPS = 5  # of the comparison with diffusers
EXACT_DIFFERENCE, CLOSE_DIFFERENCE = (
    0.0,
    0.1,
)  # relative difference: in float32 on a CPU, and elsewhere, where diffusers rounds latents too
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
    method: str
    offline: bool

    def example(self) -> EditRequest:
        photos = bundled_samples() / "photos"
        example = json.loads((photos / "demo.json").read_text())
        path = photos / example["photo"]
        photo = load_photo(path)
        prompt = photo.description or path.with_suffix(".txt").read_text().strip()
        return EditRequest(photo, prompt, (Move(example["object"], to=tuple(example["to"])),), method=self.method)


Verdict = tuple[bool, str]


def words(patient: ModelUnderTest) -> Verdict:
    """A phrase has its own tokens, and neither the marks nor the padding."""
    texts = patient.model.texts
    found, length = texts.positions(PROMPT, PHRASE), texts.length(PROMPT)
    inside = all(0 < k < length - 1 for k in found)
    return inside and len(found) >= WORDS, f'"{PHRASE}" is tokens {", ".join(map(str, found))} of {length}'


def equality(patient: ModelUnderTest) -> Verdict:
    """Without guidance the sampler is diffusers' own pipeline."""
    model = patient.model
    side = model.native_size // model.latent_factor
    noise = torch.randn(1, model.unet.config.in_channels, side, side, generator=torch.Generator().manual_seed(0))
    noise = noise.to(model.device)
    rows = Conditioning(model.embed(PROMPT), model.unprompted().repeat(EQUALITY_STEPS), patient.settings.guidance_scale)
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


def gradient(patient: ModelUnderTest) -> Verdict:
    """An energy of the attention has a finite gradient in the latent, and a step against it lowers the energy."""
    model, schedule = patient.model, patient.model.schedule(EQUALITY_STEPS)
    side = model.native_size // model.latent_factor
    z = torch.randn(1, model.unet.config.in_channels, side, side, generator=torch.Generator().manual_seed(1))
    z, i = z.to(model.device), EQUALITY_STEPS // 2
    targets = {name: torch.tensor((0.2, 0.5)).expand(EQUALITY_STEPS, 1, 2) for name in model.sites.attention}
    energy = CentroidEnergy(model.texts.positions(PROMPT, PHRASE), targets)
    guidance = Guidance(energy, torch.ones_like(z[:, :1]), Strength(), 0.0, 0.0, 1.0)
    prompt = model.embed(PROMPT)
    before, slope, _ = energy_gradient(model, z, schedule.timesteps[i], prompt, guidance, (i, EQUALITY_STEPS))
    if slope is None or not torch.isfinite(slope).all() or not slope.any():
        return False, f"energy {before:.3g}, whose gradient is zero or not finite"
    with torch.no_grad(), tap(model.unet, model.sites) as tape:
        model.predict(z - 0.1 * slope / slope.square().mean().sqrt(), schedule.timesteps[i], [prompt])
        after = energy(tape, i).item()
    return after < before, f"energy {before:.4f} to {after:.4f} against its gradient"


def reconstruction(patient: ModelUnderTest) -> Verdict:
    """A photo comes back from its noise as the autoencoder alone gives it back."""
    model, task = patient.model, patient.example()
    size = working_size(task.photo.size, model.native_size, model.pixel_multiple)
    small = task.photo.small(size)
    seen = invert_image(model, small, task.prompt, patient.settings, task.method)
    everywhere, perceptual = torch.ones_like(small[:, :1]), perceptual_metric(model, offline=patient.offline)
    bound = compare(small, model.decode(model.encode(small)).cpu(), everywhere, perceptual).psnr_db
    reached = compare(small, reconstruct(model, seen.reference), everywhere, perceptual).psnr_db
    return reached >= bound - LARGEST_LOSS, f"{reached:.2f} dB; the autoencoder alone {bound:.2f} dB"


def move(patient: ModelUnderTest) -> Verdict:
    """An object of the bundled photo goes where it is asked to, and the rest stays."""
    perceptual = perceptual_metric(patient.model, offline=patient.offline)
    report = edit_photo(patient.model, patient.example(), perceptual, patient.settings).report
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


def examine(patient: ModelUnderTest) -> Iterator[CheckResult]:
    """Every check in turn; one that raises something that a user can mend has failed."""
    for name, check in CHECKS.items():
        began = time.perf_counter()
        try:
            passed, said = check(patient)
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
