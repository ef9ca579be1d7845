"""How well does the program get on with attention as real models have it?

    python -m tests.benchmarks.attention [--scenes N] [--edits N] [--level L] [--first-seed S] [--json FILE]

The bundled model was trained to attend truly; here its maps are blurred, uneven, with a floor, and hold something of
other words' objects, tables and walls as strongly as anything (`degraded_attention.py`). For each level: how far words
outline their objects, and the masks that are found from them; whether a given mask is believed for its own words and
for another object's; and how often moves, removals and restylings by words are right (`--edits` scenes of each).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from inversion.errors import EditError, PhraseError
from inversion.loading import load_model
from inversion.taps import Sites, tap
from realedit.evaluation.metrics import PerceptualMetric
from realedit.evaluation.perceptual import perceptual_metric
from realedit.files.photo import Photo
from realedit.images import to_bytes
from realedit.objects.attention_probe import PROBED_LEVELS, probe
from realedit.objects.attention_quality import HALF_PEAK, overlap
from realedit.objects.recognition import probe_words
from realedit.objects.segmentation import object_mask, upsampled_attention
from realedit.objects.zoom_refinement import refine_by_zoom
from realedit.sampling.attention import phrase_map
from realedit.sampling.noising import noised_latents
from realedit.sampling.session import Session
from realedit.settings import DEFAULTS
from samples.renderer import render
from samples.scenes import sample_scene
from tests.benchmarks import edits, rows
from tests.benchmarks.cases import SIZES, cases
from tests.benchmarks.degraded_attention import LEVELS, degraded
from tests.benchmarks.edit_cases import edit_cases
from tests.benchmarks.edit_judge import judge_edit
from tests.benchmarks.fresh import fresh_cache
from tests.benchmarks.judge import judge
from tests.benchmarks.statistics import Estimate, median, share

FIRST_SEED = 3_000_000
LEAST_SIZE = 0.01  # of the frame: smaller things are left out


@dataclass(frozen=True)
class Seen:
    """What was seen of one object: the overlaps (IoU) of its words' attention and of its mask, found from afar and from
    near, with the truth; whether its true mask is believed; whether another object's is, None without another."""

    attention: float
    far: float
    near: float
    believed: bool
    confused: bool | None


def objects_seen(session: Session, first: int, scenes: int) -> Iterator[Seen]:
    """Every named object of scenes."""
    for seed in range(first, first + scenes):
        size = SIZES[seed % len(SIZES)]
        scene = sample_scene(seed, *size)
        drawn = render([scene], *size)
        masks = {t.phrase: (drawn.masks[:, k : k + 1] > 0.5).float() for k, t in enumerate(scene.things)}
        masks = {phrase: mask for phrase, mask in masks.items() if mask.mean() > LEAST_SIZE}
        for phrase, mask in masks.items():
            others = [other for name, other in masks.items() if name != phrase]
            try:
                yield _seen(session, drawn.photos, (scene.caption, phrase), mask, others)
            except PhraseError:  # named twice
                continue


def _seen(session: Session, photo: Tensor, words: tuple[str, str], mask: Tensor, others: Sequence[Tensor]) -> Seen:
    caption, phrase = words
    tokens = session.model.positions(caption, phrase)
    try:
        far = object_mask(photo, probe(session, photo, caption).attention(tokens), phrase)
        near = refine_by_zoom(session.model, Photo(to_bytes(photo)), caption, phrase, far)
    except EditError:
        far = near = torch.zeros_like(mask)
    probed = probe_words(session, photo, caption, phrase)
    own = _own_attention(session, photo, caption, tokens) > HALF_PEAK
    confused = probed.sees(others[0]) if others else None
    return Seen(overlap(own.float(), mask), overlap(far, mask), overlap(near, mask), probed.sees(mask), confused)


@torch.no_grad()
def _own_attention(session: Session, photo: Tensor, caption: str, tokens: Sequence[int]) -> Tensor:
    """The words' attention in the finest layers, as it is."""
    model, maps = session.model, []
    latent, text = model.encode(photo), model.embed(caption)
    with tap(model.unet, Sites(model.sites.attention)) as tape:
        for noised in noised_latents(latent, session.schedule, PROBED_LEVELS, session.settings.seed):
            model.predict(noised.z, noised.timestep, [text])
            maps.append(phrase_map(tape.attention, tokens))
    return upsampled_attention(torch.cat(maps), (photo.shape[-1], photo.shape[-2]))


def edits_made(session: Session, perceptual: PerceptualMetric, first: int, scenes: int) -> dict[str, list[bool]]:
    """Whether edits by words of held-out scenes are right, by kind."""
    right: dict[str, list[bool]] = {"move": [], "remove": [], "restyle": []}
    move, change = (make(session.model, perceptual, DEFAULTS) for make in (rows.realedit, edits.realedit))
    for case in (each for each in cases(first, scenes) if each.kind in right):
        with fresh_cache():
            outcome = rows.measured(move, case, session.model)
        right[case.kind].append(judge(case, outcome.picture, outcome.touched, perceptual).success)
    for case in (each for each in edit_cases(first, scenes) if each.kind in right):
        with fresh_cache():
            outcome = rows.measured(change, case, session.model)
        right[case.kind].append(judge_edit(case, outcome.picture, outcome.touched, perceptual).success)
    return right


def columns(seen: Sequence[Seen], right: dict[str, list[bool]]) -> dict[str, Estimate]:
    """One row of the table."""
    return {
        "attention, IoU": median([s.attention for s in seen]),
        "mask from afar, IoU": median([s.far for s in seen]),
        "mask from near, IoU": median([s.near for s in seen]),
        "true masks believed": share([s.believed for s in seen]),
        "another's mask believed": share([s.confused for s in seen if s.confused is not None]),
        **{f"{kind}s that are right": share(each) for kind, each in right.items() if each},
    }


def _values(found: dict[str, dict[str, Estimate]]) -> dict[str, dict[str, list[float]]]:
    """The table as values that JSON can hold: each estimate with its interval."""
    return {level: {name: [e.value, e.low, e.high] for name, e in row.items()} for level, row in found.items()}


@click.command()
@click.option("--scenes", default=24, show_default=True)
@click.option("--edits", "edited", default=0, show_default=True, help="Scenes in which edits are made.")
@click.option("--level", "levels", multiple=True, type=click.Choice(list(LEVELS)), help="Of these alone.")
@click.option("--first-seed", default=FIRST_SEED, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(scenes: int, edited: int, levels: tuple[str, ...], first_seed: int, json_path: Path | None) -> None:
    model = load_model(device="cpu")
    session, perceptual = Session(model), perceptual_metric(model)
    found = {}
    for level in levels or LEVELS:
        with degraded(LEVELS[level]):
            seen = list(objects_seen(session, first_seed, scenes))
            right = edits_made(session, perceptual, first_seed, edited) if edited else {}
        found[level] = columns(seen, right)
        if json_path:
            json_path.write_text(json.dumps(_values(found), indent=2))
    table = Table("attention", *next(iter(found.values())))
    for level, row in found.items():
        table.add_row(level, *(f"{e.value:.2f} [{e.low:.2f}, {e.high:.2f}]" for e in row.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
