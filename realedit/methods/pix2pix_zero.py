"""Pix2Pix-Zero (Parmar et al., arXiv 2302.03027): the photo's words moved by a direction between sentences, while
cross-attention is held to the photo's by a step of gradient on the latent.

The attention that is held to is that of the photo's own pivots, the mean over heads in the recorded layers; the paper's
is that of all layers and heads in a first sampling of the photo."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.errors import EditError
from inversion.model import DiffusionModel
from inversion.phrases import phrases
from inversion.reference import Reference
from inversion.taps import Tape
from inversion.text import Embedding
from realedit.engines import Pix2PixZero
from realedit.methods.sampler_run import SamplerRun, Task
from realedit.methods.word_alignment import common_words
from realedit.sampling.prediction import Conditioning, Step
from realedit.sampling.session import Session

TEMPLATES = tuple(
    "a photo of {}|a picture of {}|a close-up photo of {}|{} in the middle of a photo|a bright photo of {}|"
    "a dark photo of {}|a photo of {} on a table|a photo of {} in a room|a photo of {} outdoors|this is {}|"
    "a small photo of {}|a good photo of {}".split("|")
)


@dataclass(frozen=True, eq=False)
class AttentionKept:
    """A guidance rule: the squared difference of cross-attention from the reference's, the sum over layers. It has no
    shift of its own: `Descent` moves the latent."""

    reference: Reference
    sites: tuple[str, ...] = ()

    def active(self, i: int, steps: int) -> bool:
        return True

    def begin(self, i: int) -> None: ...

    def evaluate(self, tape: Tape, i: int, steps: int) -> Tensor:
        terms = []
        for name, then in self.reference.attention.items():
            now = tape.attention[name]
            terms.append((now[:, : then.shape[1]] - then[i : i + 1].to(now)).square().sum())
        return torch.stack(terms).sum()

    def shift(self, gradient: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
        return torch.zeros_like(noise)


@dataclass(frozen=True, eq=False)
class Descent:
    """A latent callback: before every step one of gradient descent, z - rate x gradient of what `kept` says."""

    session: Session
    rows: Conditioning
    kept: AttentionKept
    rate: float

    def __call__(self, z: Tensor, level: int) -> Tensor:
        schedule = self.session.schedule
        if level == len(schedule) or self.rate == 0:
            return z
        gradient, _ = Step(self.session.model, schedule, self.rows, level).energy_gradient(z, self.kept)
        return z if gradient is None else z - self.rate * gradient


def pix2pix_zero(task: Task, engine: Pix2PixZero) -> SamplerRun:
    """Raises what `sentences` does."""
    model = task.session.model
    caption = model.embed(task.prompt)
    moved = caption.with_tokens(
        caption.tokens + direction(model, *sentences(task.session, (task.prompt, task.words), engine))
    )
    unprompted = caption.repeat(task.session.settings.steps)  # for photos the caption itself is the negative prompt
    rows = Conditioning(moved, unprompted, engine.guidance_scale)
    descent = Descent(task.session, rows, AttentionKept(task.inverted.reference), engine.rate)
    return SamplerRun(task.pivots[:1], rows, callbacks=[task.held(task.pivots), descent])


def direction(model: DiffusionModel, old: Sequence[str], new: Sequence[str]) -> Tensor:
    """The mean embedding of new sentences minus that of old ones, (1, T, D)."""

    def mean(sentences: Sequence[str]) -> Tensor:
        embedded: list[Embedding] = [model.embed(each) for each in sentences]
        return torch.stack([each.tokens for each in embedded]).mean(0)

    return mean(new) - mean(old)


def sentences(session: Session, texts: tuple[str, str], engine: Pix2PixZero) -> tuple[Sequence[str], Sequence[str]]:
    """Those of the old thing and of the new one: what the engine has, or else templates filled with the words in which
    the two texts differ.

    Raises:
        EditError: neither says what becomes of what.
    """
    if engine.bank is not None:
        return engine.bank.old, engine.bank.new
    old, new = different_words(*texts)
    return [each.format(old) for each in TEMPLATES], [each.format(new) for each in TEMPLATES]


def different_words(prompt: str, words: str) -> tuple[str, str]:
    """The phrases of two prompts that the other has not; where that is none of one's, the prompts themselves.

    >>> different_words("a photo of a red cat on a mat", "a photo of a big dog on a mat")
    ('red cat', 'big dog')

    Raises:
        EditError: they say the same, or have no word in common.
    """
    common = common_words(prompt.lower().split(), words.lower().split())
    if not common or len(common) == len(prompt.split()) == len(words.split()):
        said = "say the same" if common else "have no word in common"
        raise EditError(f'"{words}" and the photo\'s "{prompt}" {said}; give --from-sentences and --to-sentences')
    old, new = phrases(prompt), phrases(words)
    gone, come = [each for each in old if each not in new], [each for each in new if each not in old]
    return (" and ".join(gone), " and ".join(come)) if gone and come else (prompt, words)
