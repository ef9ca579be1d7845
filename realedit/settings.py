"""How a run is made: the model, the sampling schedule, guidance, and the regions of an edit. Thresholds of image
processing stand at the top of the modules that use them. No torch."""

from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True)
class Strength:
    """Length of the guidance gradient against the predicted noise: where it starts, and between which
    limits and by which factor it is adapted at every guided step."""

    start: float = 0.1
    least: float = 0.02
    most: float = 0.5
    factor: float = 1.4


METHOD_NAMES = (
    "fixed-point",
    "null-text",
    "negative-prompt",
    "residual",
    "ddim",
)  # kept equal to inversion.methods by a test: help must not load torch
ENERGIES = ("attention", "readout")  # what those of regenerated edits read; any other name: heads in that folder
MEMORY_NAMES = ("auto", "fast", "checkpointed", "lean")  # kept equal to inversion.footprint.Memory by a test


@dataclass(frozen=True)
class ModelChoice:
    """The values of the options that say which model is used, and how it is loaded."""

    model: str = "tabletop"
    revision: str | None = None
    variant: str | None = None
    offline: bool = False
    device: str = "auto"
    dtype: str = "auto"
    memory: str = MEMORY_NAMES[0]


@dataclass(frozen=True)
class Weights:
    """Of the energies, each already an average over layers and words."""

    shape: float = 2.0
    centroid: float = 4.0
    size: float = 1.0
    appearance: float = 0.2
    others: float = 1.0
    ghost: float = 2.0
    presence: float = 0.5  # by readout alone
    colour: float = 1.0  # by readout alone
    look_alone: float = 1.0  # of appearance where nothing else is asked


class Mode(Enum):
    """How what a model knows is edited: by its pixels, which the model then sees to (COMPOSITE), by the model alone
    under self-guidance (REGENERATE), or as the result of the one tells (AUTO); or by its pixels, as if no model knew it
    (PIXELS)."""

    AUTO = "auto"
    COMPOSITE = "composite"
    REGENERATE = "regenerate"
    PIXELS = "pixels"


class Guider(Enum):
    """How the predictions of the prompted and the unprompted row become one; see `realedit.sampling.combination`."""

    PLAIN = "plain"
    RESCALED = "rescaled"
    INTERVAL = "interval"
    APG = "apg"


@dataclass(frozen=True)
class Regeneration:
    """How a photo is sampled again under self-guidance, without its pixels. Fractions of the schedule count from the
    noise (0) to the photo (1).

    Sampling starts at `start`, at the noise where words shall give a new look. Until `dense_until` every step is
    guided, then each second until `guided_until`, with a `strength` that adapts itself; `features` weigh as much beside
    the other energies. `reach`: how far around old and new places cells are free, in extents of the object.
    """

    start: float = 0.4
    dense_until: float = 0.6
    guided_until: float = 0.8
    strength: Strength = Strength(start=0.2, least=0.02, most=0.5)
    features: float = 2.0
    reach: float = 0.5


@dataclass(frozen=True)
class Settings:
    """How an edit is made. Fractions of the schedule count from the noise (0) to the photo (1).

    The clean plate: `plate_from`, until when the old place is held to a rough fill before the model draws there, and
    `structure_from`, until when it is where nothing of that fill can be trusted; `plate_guidance_scale`. Whatever is
    drawn from words: `draw_guidance_scale`; until `guided_until` its energies are measured and, above `tolerance`,
    guide with a `strength` that adapts itself. New looks: `look_from`, until when the object is held to its old look in
    the new colours; `look_strength`, since an outline must be held against words that would move it. Whole pictures:
    `draw_strength`, of which fresh noise needs more; `whole_from`, until when a photo that takes on another's look is
    held. Regions: `reach`, how far from an object its shadow is looked for, in extents of the object; `margin` and
    `feather`, fractions of the photo's shorter side, for what masks miss at edges and for the final seam; both are less
    around small objects in large photos that no model knows. `shadows`:
    whether those of objects that leave go too, rather than stay where they are. `method`: how photos are inverted, one
    of `METHOD_NAMES`. `guider`: how rows are combined in
    whole pictures. `mode` and `regeneration`: whether and how the model makes the result alone.
    """

    steps: int = 25
    guidance_scale: float = 7.5
    seed: int = 0
    weights: Weights = field(default_factory=Weights)
    strength: Strength = field(default_factory=Strength)
    tolerance: float = 0.02
    guided_until: float = 0.95
    plate_from: float = 0.7
    structure_from: float = 0.5
    plate_guidance_scale: float = 3.0
    look_from: float = 0.4
    look_strength: Strength = Strength(start=0.6, least=0.05, most=2.0)
    draw_guidance_scale: float = 5.0
    draw_strength: Strength = Strength(start=0.4, least=0.05, most=1.0)
    whole_from: float = 0.6
    shadows: bool = True
    margin: float = 0.025
    reach: float = 0.9
    feather: float = 0.015
    method: str = METHOD_NAMES[0]
    guider: Guider = Guider.PLAIN
    mode: Mode = Mode.AUTO
    regeneration: Regeneration = Regeneration()


DEFAULTS = Settings()
MOST_SEED = 2**63 - 1  # of what generators of random numbers take, with room for further pictures
MOST_PITCH = 80.0  # degrees that a camera may look down, or up
MIN_SIDE = 64  # pixels of a photo's shorter side
