"""Whole pictures as values: what is asked of one that is drawn from words, or from a photo of which the
layout or the look is kept. No torch."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from realedit.engines import AnyEngine, ClassGuidance, Control, RePaint
from realedit.geometry.region import Region
from realedit.settings import DEFAULTS, MOST_SEED, Guider


class _Generation(BaseModel):
    """`method`: how the photo is inverted, if there is one; `guider`: how rows are combined."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    method: str = DEFAULTS.method
    steps: int = Field(DEFAULTS.steps, ge=2, le=1000)
    seed: int = Field(DEFAULTS.seed, ge=0, le=MOST_SEED)
    guider: Guider = Guider.PLAIN


class Controlled(_Generation):
    """What may follow maps: `controls`; and a classifier: `classes`."""

    controls: tuple[Control, ...] = ()
    classes: ClassGuidance | None = None


class TextToImage(Controlled):
    """A picture of the prompt, `size` (width, height) pixels large; None: the model's own size."""

    kind: Literal["generate"] = "generate"
    size: tuple[int, int] | None = None


class SameLayout(Controlled):
    """A picture of these `words`, or the photo's own, in the photo's layout."""

    kind: Literal["relook"] = "relook"
    words: str | None = Field(None, alias="as")


class SameAppearance(_Generation):
    """A picture of the photo's objects, elsewhere."""

    kind: Literal["relayout"] = "relayout"


class GlobalAppearance(_Generation):
    """The photo in the look of a whole other one, whose `prompt` says what it shows."""

    kind: Literal["transfer-whole"] = "transfer-whole"
    photo: str = Field(alias="from")
    prompt: str


class Redrawing(Controlled):
    """The photo drawn anew by an `engine`, under these `words` or its own; `where`: what alone may change."""

    kind: Literal["redraw"] = "redraw"
    engine: AnyEngine
    words: str | None = Field(None, alias="as")
    where: Region | None = None


class Filling(Controlled):
    """The photo, filled by `fill` in what is marked, `where`; `words` name what is to be seen, None: its own;
    `repaint`: how, where that is what fills."""

    kind: Literal["fill"] = "fill"
    where: Region
    fill: str = "auto"
    words: str | None = Field(None, alias="as")
    repaint: RePaint = RePaint()


Generation = Annotated[
    TextToImage | SameLayout | SameAppearance | GlobalAppearance | Redrawing | Filling, Field(discriminator="kind")
]
