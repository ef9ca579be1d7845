"""Prompt-to-Prompt (Hertz et al., arXiv 2208.01626) on a photo's inversion: new words attend where the photo's own did,
and places attend to each other as they did.

What the paper takes from a second row, which samples the photo's prompt beside the new one, comes here from the photo's
own pivots (`SourcePass`): so the photo's row is exact whatever the inversion (as in Ju et al., arXiv 2310.01506)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.recorded_layers import halvings
from inversion.replacement import AttentionReplacement, OutputReplacement, Replacement, as_map
from inversion.taps import attention_probabilities
from realedit.engines import PromptToPrompt
from realedit.methods.sampler_run import SamplerRun, Task, always
from realedit.methods.word_alignment import WordMap, word_map
from realedit.sampling.prediction import Conditioning
from realedit.sampling.session import Session
from realedit.sampling.source_pass import SourcePass

COARSE_SHARE = 1 / 4  # of the latent's cells: finer self-attention is the new picture's own (null-text's 32 x 32 of 64)
BLENDED_SHARE = 1 / 16  # of the latent's cells: the layers that tell where words are (their 16 x 16 of 64 x 64)
BLEND_LEVEL = 0.3  # of a map's peak: above it a cell may change
BLEND_FROM = 0.2  # of the schedule: before, everything may change


@dataclass(eq=False)
class LocalBlend:
    """A latent callback: where neither the photo's words nor the new ones, of which `note` is taken, attend above 0.3
    of their peak, the latent is the photo's pivot (their section 3.2, local blending). For one run."""

    pivots: Tensor
    _maps: dict[tuple[int, str], Tensor] = field(default_factory=dict)

    def note(self, i: int, layer: str, maps: Tensor) -> None:
        """Where words attend in a layer at step `i`: (2, 1, cells), the photo's and the new ones."""
        self._maps[i, layer] = maps

    def __call__(self, z: Tensor, level: int) -> Tensor:
        if level / (len(self.pivots) - 1) <= BLEND_FROM or not self._maps:
            return z
        return torch.where(self._place(z) > 0.5, z, self.pivots[level : level + 1])

    def _place(self, z: Tensor) -> Tensor:
        """(1, 1, h, w): 1 where words attend, on the average of all steps so far."""
        size, wanted = (z.shape[-2], z.shape[-1]), z.shape[-2] * z.shape[-1] * BLENDED_SHARE
        nearest = min((m.shape[-1] for m in self._maps.values()), key=lambda n: max(n / wanted, wanted / n))
        chosen = torch.stack([m for m in self._maps.values() if m.shape[-1] == nearest]).mean(0)
        maps = F.max_pool2d(as_map(chosen.transpose(1, 2), size), 3, stride=1, padding=1)
        fine = F.interpolate(maps, size=size, mode="bilinear", align_corners=False)
        return (fine > BLEND_LEVEL * fine.amax((-2, -1), keepdim=True)).float().amax(0, keepdim=True)


@dataclass(frozen=True, eq=False)
class AttentionFromPhoto:
    """The controller: cross-attention of the layers `cross` goes through the word map, and that of self-attention of
    the layers `own` is the photo's."""

    source: SourcePass
    words: WordMap
    engine: PromptToPrompt
    cross: tuple[str, ...]
    own: tuple[str, ...]
    blend: tuple[LocalBlend, tuple[int, ...]] | None = None  # and the tokens of the new words that it follows

    def at(self, i: int) -> Mapping[str, Replacement]:
        done, then = i / len(self.source.schedule), self.source.outputs(i)
        found: dict[str, Replacement] = {}
        if done < self.engine.self_until:
            for name in (f"{layer}.{part}" for layer in self.own for part in ("to_q", "to_k")):
                found[name] = OutputReplacement(always(then[name]))
        carries = done < self.engine.cross_until
        if carries or self.blend is not None:
            for layer in self.cross:
                seen = attention_probabilities(
                    self.source.model.unet.get_submodule(layer), then[f"{layer}.to_q"], then[f"{layer}.to_k"]
                )
                found[layer] = AttentionReplacement(self._changed(i, layer, seen, carries))
        return found

    def _changed(self, i: int, layer: str, then: Tensor, carries: bool) -> Callable[[Tensor], Tensor]:
        def change(now: Tensor) -> Tensor:
            mixed = self.words(then, now) if carries else now
            if self.blend is not None:
                local, tokens = self.blend
                pairs = (then, self.words.sources(tokens)), (mixed, tokens)
                seen = [each[..., list(which)].sum(-1).mean(1) for each, which in pairs]
                local.note(i, layer, torch.stack(seen).detach())
            return mixed

        return change


def check_words(session: Session, texts: tuple[str, str], engine: PromptToPrompt) -> tuple[WordMap, tuple[int, ...]]:
    """The map between the prompts, and the tokens of the words whose place alone may change, if any.

    Raises:
        EditError: the prompts have nothing in common.
        PhraseError: the new one lacks words that are named.
    """
    words = word_map(session.model, *texts, engine.weights)
    return words, () if engine.blend is None else session.model.positions(texts[1], engine.blend)


def prompt_to_prompt(task: Task, engine: PromptToPrompt) -> SamplerRun:
    """Raises what `check_words` does."""
    model = task.session.model
    words, tokens = check_words(task.session, (task.prompt, task.words), engine)
    cross, own = attention_layers(task)
    read = tuple(f"{layer}.{part}" for layer in (*cross, *own) for part in ("to_q", "to_k"))
    reference = task.inverted.reference
    source = SourcePass(model, task.session.schedule, task.pivots, model.embed(task.prompt), (), read)
    blend = LocalBlend(task.pivots)
    controller = AttentionFromPhoto(source, words, engine, cross, own, (blend, tokens) if tokens else None)
    return SamplerRun(
        task.pivots[:1],
        Conditioning(model.embed(task.words), reference.unconditional, engine.guidance_scale),
        controllers=[controller],
        callbacks=[*([blend] if tokens else []), task.held(task.pivots)],
    )


def attention_layers(task: Task) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All cross-attention layers, and the self-attention layers of at most a quarter of the latent's cells."""
    unet = task.session.model.unet
    names = [name for name, _ in unet.named_modules()]
    cross = tuple(name for name in names if name.endswith(".attn2"))
    own = tuple(name for name in names if name.endswith(".attn1") and 4.0 ** -halvings(unet, name) <= COARSE_SHARE)
    return cross, own
