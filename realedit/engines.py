"""The systems that draw a photo anew, as values: what a person may say to each, with its paper's defaults. No torch."""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field


class EngineValue(BaseModel):
    """`does`: what it is for, in a line; `paper`: by whom, and its arXiv number; `cost`: rows of the network that are
    evaluated for N steps, beside the inversion; a row with its gradient counts about 2."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    does: ClassVar[str]
    paper: ClassVar[str]
    cost: ClassVar[str]
    files: ClassVar[tuple[str, ...]] = ()
    """Which of its values are paths, of files or folders."""
    models: ClassVar[dict[str, str]] = {}
    """Which of its values are models (folders or hub ids), and what each is."""

    def named(self, values: Iterable[str]) -> list[tuple[str, str]]:
        """Those of these values that are given, with their names."""
        return [(name, getattr(self, name)) for name in values if getattr(self, name) is not None]


class SDEdit(EngineValue):
    """`strength`: where sampling begins, as a share of the schedule; `repeats`: how often it is done, each time with
    the last result; `eta`: how much of DDPM's noise each step adds."""

    does: ClassVar = "noise over the photo, drawn again: composites made one, sketches made photos"
    paper: ClassVar = "Meng et al., 2108.01073"
    cost: ClassVar = "2 N x strength x repeats; no inversion"

    kind: Literal["sdedit"] = "sdedit"
    strength: float = Field(0.5, gt=0, le=1)
    repeats: int = Field(3, ge=1, le=20)
    eta: float = Field(1.0, ge=0, le=1)
    guidance_scale: float = Field(7.5, ge=1)


class RePaint(EngineValue):
    """`jump`: how many levels a jump goes back; `repeats`: how often each stretch of them is drawn in all."""

    does: ClassVar = "a hole drawn from noise, and again and again until it fits what is around it"
    paper: ClassVar = "Lugmayr et al., 2201.09865"
    cost: ClassVar = "2 x 410 for N = 50; no inversion"

    kind: Literal["repaint"] = "repaint"
    jump: int = Field(10, ge=1)
    repeats: int = Field(10, ge=1, le=50)
    eta: float = Field(1.0, ge=0, le=1)
    guidance_scale: float = Field(7.5, ge=1)


class PromptToPrompt(EngineValue):
    """`cross_until`, `self_until`: until which share of the schedule the photo's cross- and self-attention are used;
    `weights`: of words of the new prompt; `blend`: the words whose place alone may change."""

    does: ClassVar = "other words in the photo's attention: small changes of words, or of their weight"
    paper: ClassVar = "Hertz et al., 2208.01626; photos: Mokady et al., 2211.09794"
    cost: ClassVar = "3 N"

    kind: Literal["prompt-to-prompt"] = "prompt-to-prompt"
    cross_until: float = Field(0.8, ge=0, le=1)
    self_until: float = Field(0.4, ge=0, le=1)
    weights: dict[str, float] = {}
    blend: str | None = None
    guidance_scale: float = Field(7.5, ge=1)


class PlugAndPlay(EngineValue):
    """`features_until`, `attention_until`: until which share of the schedule the photo's features of the decoder, and
    the queries and keys of its self-attention, are used."""

    does: ClassVar = "the photo's spatial features under other words: a new material or style, the same layout"
    paper: ClassVar = "Tumanyan et al., 2211.12572"
    cost: ClassVar = "3 N"

    kind: Literal["plug-and-play"] = "plug-and-play"
    features_until: float = Field(0.8, ge=0, le=1)
    attention_until: float = Field(0.5, ge=0, le=1)
    guidance_scale: float = Field(7.5, ge=1)


class SentenceBank(BaseModel):
    """Sentences of the old thing and of the new one, between whose means a direction goes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    old: tuple[str, ...] = Field(min_length=1)
    new: tuple[str, ...] = Field(min_length=1)


class Pix2PixZero(EngineValue):
    """`rate`: how far the latent follows the gradient that keeps the photo's attention; `bank`: the sentences that say
    the direction; None: templates with the words in which the new prompt differs."""

    does: ClassVar = "a direction between sentences, while attention stays the photo's: one thing for another"
    paper: ClassVar = "Parmar et al., 2302.03027"
    cost: ClassVar = "2 N, and N with gradient"

    kind: Literal["pix2pix-zero"] = "pix2pix-zero"
    rate: float = Field(0.1, ge=0)
    bank: SentenceBank | None = None
    guidance_scale: float = Field(5.0, ge=1)


class DiffuseIT(EngineValue):
    """`strength`: where sampling begins, as a share of the schedule; `first_again`: how often the first step is done;
    `until`: until which share of it structure and look guide; `vit`: the vision transformer that tells them (folder or
    hub id), None: the model's autoencoder; `like`: the picture whose look is taken on, None: words alone say it."""

    does: ClassVar = "the photo's structure, as a vision transformer sees it, in other words or another picture's look"
    paper: ClassVar = "Kwon and Ye, 2209.15264"
    cost: ClassVar = "2 N x strength, and as many with the gradients of decoder and transformer; no inversion"

    files: ClassVar = ("like",)
    models: ClassVar = {"vit": "vision transformer"}

    kind: Literal["diffuse-it"] = "diffuse-it"
    strength: float = Field(0.6, gt=0, le=1)
    first_again: int = Field(10, ge=1, le=50)
    until: float = Field(0.95, ge=0, le=1)
    eta: float = Field(1.0, ge=0, le=1)
    vit: str | None = None
    like: str | None = None
    guidance_scale: float = Field(7.5, ge=1)


class GuideAndRescale(EngineValue):
    """`until`: until which share of the schedule the photo's self-attention and features pull; `scale`: how strongly;
    `least`, `most`: between which limits, against the difference that the new words make."""

    does: ClassVar = "new words, and the photo's self-attention and features as a pull that needs no tuning"
    paper: ClassVar = "Titov et al., 2409.01322"
    cost: ClassVar = "3 N, one of them with gradient"

    kind: Literal["guide-and-rescale"] = "guide-and-rescale"
    until: float = Field(0.8, ge=0, le=1)
    scale: float = Field(1000.0, ge=0)
    least: float = Field(0.75, ge=0)
    most: float = Field(1.25, ge=0)
    guidance_scale: float = Field(7.5, ge=1)


class DraggedPoint(BaseModel):
    """What is seen at `start` shall be seen at `end`: fractions (x, y) of the photo."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)

    start: tuple[float, float] = Field(alias="from")
    end: tuple[float, float] = Field(alias="to")


class Drag(EngineValue):
    """`from_noise`: at which share of the schedule, counted from the photo, the latent is dragged; `rounds`: how often
    at most, each by Adam at this `rate`."""

    does: ClassVar = "what is seen at points goes to others, by the network's features: poses, turns, outlines"
    paper: ClassVar = "Shi et al., 2306.14435"
    cost: ClassVar = "1.4 N, and up to 80 with gradient"

    kind: Literal["drag"] = "drag"
    points: tuple[DraggedPoint, ...] = Field(min_length=1)
    from_noise: float = Field(0.7, gt=0, le=1)
    rounds: int = Field(80, ge=1, le=1000)
    rate: float = Field(0.01, gt=0)


class AlongDirection(EngineValue):
    """`direction`: the folder of one that was found from pictures; `by`: how far, 1 being from the mean of the pictures
    without it to the mean of those with it."""

    files: ClassVar = ("direction",)

    direction: str
    by: float = Field(1.0, ge=-20, le=20)


class Asyrp(AlongDirection):
    """`until`: until which share of the schedule the bottleneck is shifted; `noisy_from`: from which on steps add
    noise, `eta` times DDPM's."""

    does: ClassVar = "a direction in the U-Net's middle, at every step: how much of something a photo shows"
    paper: ClassVar = "Kwon et al., 2210.10960"
    cost: ClassVar = "1.5 N"

    kind: Literal["asyrp"] = "asyrp"
    until: float = Field(0.5, ge=0, le=1)
    noisy_from: float = Field(0.8, ge=0, le=1)
    eta: float = Field(1.0, ge=0, le=1)


class BoundaryDiffusion(AlongDirection):
    """`eta`: how much of DDPM's noise each step adds."""

    does: ClassVar = "a direction in latent and middle of one level, the others sampled: the same, at once"
    paper: ClassVar = "Zhu et al., 2302.08357"
    cost: ClassVar = "0.5 N"

    kind: Literal["boundary-diffusion"] = "boundary-diffusion"
    eta: float = Field(1.0, ge=0, le=1)


class ClassGuidance(BaseModel):
    """The `words` are classes of a `classifier` (a folder; None: the bundled model's) that a picture shall show; the
    `scale` of its gradient; and whether it looks at the `predicted` clean latent or at the noisy one."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    words: tuple[str, ...] = Field(min_length=1)
    classifier: str | None = None
    scale: float = Field(10.0, ge=0, le=1000)
    predicted: bool = False


class Control(BaseModel):
    """A `picture` that a ControlNet, `model`, is shown, and its strength."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    picture: str
    model: str
    scale: float = Field(1.0, ge=0, le=5)


Engine = Annotated[
    SDEdit | PromptToPrompt | PlugAndPlay | Pix2PixZero | DiffuseIT | GuideAndRescale, Field(discriminator="kind")
]
"""What draws a whole photo, or what is marked of it, in other words."""

AnyEngine = Annotated[Engine | Drag | BoundaryDiffusion | Asyrp, Field(discriminator="kind")]
"""The same, and what takes no words."""
