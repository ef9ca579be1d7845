"""What an edit did, as text and as JSON."""

import json
import math
from dataclasses import asdict, dataclass, fields

from torch import Tensor

from realedit.evaluation.comparison import compare
from realedit.evaluation.metrics import FindMetric, ImageComparison, PerceptualMetric
from realedit.evaluation.report_parts import CameraReport, FillReport, GuidanceReport, ModeReport, ObjectReport
from realedit.evaluation.verdict import Verdict
from realedit.files.captions import FROM_OPTION, Prompt
from realedit.files.photo import Photo

SHOWN_PROMPT = 50  # characters of a prompt in a line


@dataclass(frozen=True)
class Measurements:
    """What was measured on the way to a result: every object, how guidance went (None: nothing was guided), the camera
    by which objects were turned that went elsewhere (None: none did), which objects cover each other after the edit,
    the network evaluations in forward-equivalents, for how many of the `seconds` networks worked, whether the inversion
    came from the cache, how what objects left was filled (None: nothing left its place), and the mode. `seconds` are
    the edit's alone, without loading the model, reading and writing."""

    objects: tuple[ObjectReport, ...]
    guidance: GuidanceReport | None
    camera: CameraReport | None
    overlaps: tuple[str, ...]
    evaluations: float
    network_seconds: float
    seconds: float
    from_cache: bool
    fill: FillReport | None
    verdict: Verdict
    mode: ModeReport


@dataclass(frozen=True, kw_only=True)
class EditReport(Measurements):
    """The numbers of one run.

    `outside`: the result against the photo, where nothing may change. `touched_share`: of the photo, what may.
    `prompt`: what the photo is said to show, and where that was said; None from Python.
    """

    outside: ImageComparison
    touched_share: float
    prompt: Prompt | None = None

    @classmethod
    def of(
        cls,
        before: Photo,
        after: Photo,
        editable: Tensor,
        measured: Measurements,
        perceptual: PerceptualMetric | FindMetric,
    ) -> "EditReport":
        """Measure a result against its photo outside what is `editable` (1, 1, H, W)."""
        return cls(
            **{each.name: getattr(measured, each.name) for each in fields(measured)},
            outside=compare(before, after, editable, perceptual),
            touched_share=float(editable.mean()),
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
        kept = faithfulness_line(self.outside)
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
            *([("note", self.outside.perceptual_note)] if self.outside.perceptual_note else []),
        ]


def faithfulness_line(report: ImageComparison) -> str:
    """One line of a comparison: PSNR, SSIM and the perceptual distance under its own name."""
    name = "LPIPS" if report.perceptual_name == "lpips" else report.perceptual_name
    if report.identical:
        return "identical pixels"
    return f"PSNR {report.psnr_db:.2f} dB, SSIM {report.ssim:.4f}, {name} {report.perceptual:.4f}"


def _finite(value: object) -> object:
    """JSON has no infinity and no NaN: both become null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
