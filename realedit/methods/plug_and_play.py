"""Plug-and-Play (Tumanyan et al., arXiv 2211.12572): the decoder's features, and the queries and keys of its
self-attention, are the photo's in every row, so that other words fill the same layout.

The photo's row sees its own pivots under its own words (the paper: DDIM inversion under no words)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inversion.replacement import OutputReplacement, Replacement
from realedit.engines import PlugAndPlay
from realedit.methods.sampler_run import SamplerRun, Task, always
from realedit.sampling.source_pass import SourcePass


@dataclass(frozen=True, eq=False)
class DecoderFromPhoto:
    """The controller: `features` and `attention` are the modules whose outputs are the photo's."""

    source: SourcePass
    engine: PlugAndPlay
    features: tuple[str, ...]
    attention: tuple[str, ...]

    def at(self, i: int) -> Mapping[str, Replacement]:
        done = i / len(self.source.schedule)
        names = self.features if done < self.engine.features_until else ()
        names += self.attention if done < self.engine.attention_until else ()
        then = self.source.outputs(i) if names else {}
        return {name: OutputReplacement(always(then[name]), every_row=True) for name in names}


def plug_and_play(task: Task, engine: PlugAndPlay) -> SamplerRun:
    model = task.session.model
    features, attention = injected_modules(model.unet)
    source = SourcePass(model, task.session.schedule, task.pivots, model.embed(task.prompt), (), features + attention)
    return SamplerRun(
        task.pivots[:1],
        task.rows(engine.guidance_scale),
        controllers=[DecoderFromPhoto(source, engine, features, attention)],
        callbacks=[task.held(task.pivots)],
    )


def injected_modules(unet: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the decoder's first level that has attention the second features, and the queries and keys of all
    self-attention after the first there: of Stable Diffusion 1.x the paper's modules."""
    block = next(k for k, each in enumerate(unet.up_blocks) if hasattr(each, "attentions"))
    attention = tuple(
        f"{name}.{part}"
        for name, _ in unet.named_modules()
        if name.startswith("up_blocks.")
        and name.endswith(".attn1")
        and not name.startswith(f"up_blocks.{block}.attentions.0.")
        for part in ("to_q", "to_k")
    )
    return (f"up_blocks.{block}.resnets.1.conv2",), attention
