"""What an edit did, as text, as JSON, and as a picture."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from torch import Tensor

from realedit.evaluation.comparison import compare
from realedit.evaluation.metrics import ImageComparison, PerceptualMetric
from realedit.evaluation.verdict import Verdict
from realedit.files.captions import FROM_OPTION, Prompt
from realedit.files.photo import Photo
from realedit.geometry.boxes import mask_centre
from realedit.geometry.crop import Crop
from realedit.geometry.transform import Point
from realedit.objects.attention_probe import Detection

SHOWN_PROMPT = 50  # characters of a prompt in a line


@dataclass(frozen=True)
class GuidanceReport:
    """How the energy went: at the first and the last measurement, its goal, the last strength, and the `most` that it
    may be."""

    first: float
    last: float
    goal: float
    strength: float
    most: float

    @property
    def met(self) -> bool:
        """Whether the energy came down to its goal."""
        return self.last <= self.goal

    def to_text(self) -> str:
        if self.first <= self.goal:
            return f"energy {self.first:.3f}, nothing asked (goal {self.goal:g})"
        limits = f"strength {self.strength:.2f} of at most {self.most:g}"
        return f"energy {self.first:.3f} to {self.last:.3f} (goal {self.goal:g}), {limits}"


@dataclass(frozen=True)
class ObjectReport:
    """One object after the edit. Positions are fractions (x, y), sizes shares of the frame; `asked_...`
    is None where it was removed, `reached_...` where it could not be measured, and `note` says why."""

    phrase: str
    words: str
    asked_position: Point | None
    asked_size: float
    reached_position: Point | None
    reached_size: float | None
    note: str | None

    @classmethod
    def of(
        cls, phrase: str, words: str, target: Tensor, found: Detection | None, crop: Crop, *, why: str
    ) -> "ObjectReport":
        """`target` (1, 1, h, w) is where it was asked to be, `found` where the model sees it, both in the part
        of the photo that `crop` shows, and `why` it does not."""
        there = bool(target.any())
        share = crop.extent[0] * crop.extent[1] / (crop.size[0] * crop.size[1])
        return cls(
            phrase=phrase,
            words=words,
            asked_position=crop.from_crop(mask_centre(target)) if there else None,
            asked_size=float(target.mean()) * share,
            reached_position=crop.from_crop(found.position) if found else None,
            reached_size=found.size * share if found else None,
            note=None if found or not there else why,
        )

    def to_text(self) -> str:
        name = f'"{self.phrase}"' if self.words == self.phrase else f'"{self.phrase}" as "{self.words}"'
        if self.asked_position is None:
            return f"{name} removed"
        x, y = self.asked_position
        asked = f"{name} asked ({x:.3f}, {y:.3f}), size {self.asked_size:.1%}"
        if self.reached_position is None or self.reached_size is None:
            return f"{asked}; not measured: {self.note}"
        x, y = self.reached_position
        return f"{asked}; measured ({x:.3f}, {y:.3f}), size {self.reached_size:.1%}"


@dataclass(frozen=True)
class CameraReport:
    """How many degrees down the camera is taken to look, and whether the user said so."""

    pitch: float
    given: bool

    def to_text(self) -> str:
        how = "as given" if self.given else "as far as lines and outlines tell"
        return f"looks down by {self.pitch:.0f} degrees, {how}"


@dataclass(frozen=True)
class FillReport:
    """By what (`name`) the places were filled that objects left, and why by that."""

    name: str
    why: str

    def to_text(self) -> str:
        return f"by {self.name}: {self.why}"


@dataclass(frozen=True)
class ModeReport:
    """How an edit was made (`name`), and why so."""

    name: str
    why: str

    def to_text(self) -> str:
        return f"{self.name}: {self.why}"


@dataclass(frozen=True, eq=False)
class Measurements:
    """What was measured on the way to a result: every object, how guidance went, the camera, which objects cover each
    other, the network evaluations in forward-equivalents, for how long networks worked and how long all took, whether
    the inversion came from the cache, and the mode. `guidance` is None where nothing was guided, `fill` where nothing
    left its place."""

    objects: Sequence[ObjectReport]
    guidance: GuidanceReport | None
    camera: CameraReport | None
    overlaps: Sequence[str]
    evaluations: float
    network_seconds: float
    seconds: float
    cached: bool
    fill: FillReport | None
    verdict: Verdict
    mode: ModeReport


@dataclass(frozen=True)
class EditReport:
    """The numbers of one run.

    `outside`: the result against the photo, where nothing may change. `camera`: by what objects were turned that went
    elsewhere, None if none did. `overlaps` names objects that cover each other after the edit. `seconds`: of the edit
    alone, without loading the model, reading and writing; `network_seconds`: of these, those of its networks. `prompt`:
    what the photo is said to show, and where that was said; None from Python.
    """

    objects: tuple[ObjectReport, ...]
    outside: ImageComparison
    touched_share: float
    guidance: GuidanceReport | None
    camera: CameraReport | None
    evaluations: float
    network_seconds: float
    seconds: float
    from_cache: bool
    overlaps: tuple[str, ...]
    perceptual_note: str | None
    fill: FillReport | None
    verdict: Verdict
    mode: ModeReport
    prompt: Prompt | None = None

    @classmethod
    def of(
        cls, before: Photo, after: Photo, editable: Tensor, measured: Measurements, perceptual: PerceptualMetric
    ) -> "EditReport":
        """Measure a result against its photo outside what is `editable` (1, 1, H, W)."""
        return cls(
            objects=tuple(measured.objects),
            outside=compare(before, after, editable, perceptual),
            touched_share=float(editable.mean()),
            guidance=measured.guidance,
            camera=measured.camera,
            evaluations=measured.evaluations,
            network_seconds=measured.network_seconds,
            seconds=measured.seconds,
            from_cache=measured.cached,
            overlaps=tuple(measured.overlaps),
            perceptual_note=perceptual.note,
            fill=measured.fill,
            verdict=measured.verdict,
            mode=measured.mode,
        )

    def to_json(self) -> str:
        return json.dumps(self.as_dict(), indent=2)

    def as_dict(self) -> dict[str, object]:
        """As values that JSON can hold."""
        values = asdict(self) | {"verdict": asdict(self.verdict) | {"level": self.verdict.level.value}}
        values["outside"] = self.outside.as_dict()
        return _finite(values)  # type: ignore[return-value]

    def to_text(self, seconds: float | None = None, *, verbose: bool = False) -> str:
        """The lines of the report, one below the other."""
        return "\n".join(f"{name:<16}{said}" for name, said in self.lines(seconds, verbose=verbose))

    def lines(self, seconds: float | None = None, *, verbose: bool = False) -> list[tuple[str, str]]:
        """What was asked and reached, what stayed, and what it cost, each with its name; `verbose` adds how it was
        done. `seconds`: of all that the user waited for; None: of the edit."""
        kept = "identical pixels" if self.outside.identical and not verbose else faithfulness_line(self.outside)
        spent = self.seconds if seconds is None else seconds
        cached = ", inversion from the cache" if self.from_cache else ""
        evaluated = f"{self.evaluations:.0f} network evaluations in {self.network_seconds:.1f} s"
        return [
            ("verdict", self.verdict.to_text()),
            *(("object", o.to_text()) for o in self.objects),
            *self._prompt_lines(),
            *([("old place", f"filled {self.fill.to_text()}")] if self.fill else []),
            *(("overlap", f"{pair} cover each other") for pair in self.overlaps),
            ("outside", f"{kept}; {1 - self.touched_share:.0%} of the photo"),
            *(self._how() if verbose else ()),
            ("cost", f"{evaluated}, {spent:.1f} s in all{cached}"),
        ]

    def _prompt_lines(self) -> list[tuple[str, str]]:
        """Where the prompt came from, if it was not typed."""
        if self.prompt is None or self.prompt.source == FROM_OPTION:
            return []
        text = self.prompt.text
        shown = text if len(text) <= SHOWN_PROMPT else f"{text[:SHOWN_PROMPT]}..."
        return [("prompt", f'"{shown}", {self.prompt.source}')]

    def _how(self) -> list[tuple[str, str]]:
        """Lines about the camera, the inversion, guidance and the measure."""
        return [
            ("mode", self.mode.to_text()),
            *([("camera", self.camera.to_text())] if self.camera else []),
            *([("guidance", self.guidance.to_text())] if self.guidance else []),
            *([("note", self.perceptual_note)] if self.perceptual_note else []),
        ]


def faithfulness_line(report: ImageComparison) -> str:
    """One line of a comparison: PSNR, SSIM and the perceptual distance under its own name."""
    name = "LPIPS" if report.perceptual_name == "lpips" else report.perceptual_name
    quality = "identical pixels" if report.identical else f"PSNR {report.psnr_db:.2f} dB, SSIM {report.ssim:.4f}"
    return f"{quality}, {name} {report.perceptual:.4f}"


def _finite(value: object) -> object:
    """JSON has no infinity and no NaN: both become null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
