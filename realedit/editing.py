"""Edits of one photo, from the pixels to the pixels: the whole flow in the order of the plan."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from inversion.model import DiffusionModel
from realedit.edits import Edit, Insert, Source
from realedit.faithfulness import Perceptual
from realedit.finding import find_at, find_object
from realedit.guests import Guest, OtherPhoto, bring, meet
from realedit.images import Photo, resize
from realedit.inverting import Seen, reconstruct, see
from realedit.looking import look as look_for
from realedit.looks import NewLook, choose_looks
from realedit.paste import Canvas, paste_back
from realedit.placement import Point
from realedit.planning import Given, Plan, make_plan
from realedit.regenerating import Script, regenerate, script_of
from realedit.report import EditReport, ObjectReport, report_on
from realedit.separating import Backdrop
from realedit.settings import DEFAULTS, Settings
from realedit.staging import Stage, set_stage

UNKNOWN = "the model does not know this object"


@dataclass(frozen=True, eq=False)
class Task:
    """What is asked: the edits, on which photo, and where their objects are if the user said so.

    `masks` (1, 1, H, W) or `points` on them, by phrase, override what the words attend to; `others` are
    the photos that the
    edits' sources name."""

    photo: Photo
    prompt: str
    edits: tuple[Edit, ...]
    masks: Mapping[str, Tensor] = field(default_factory=dict)
    points: Mapping[str, Point] = field(default_factory=dict)
    others: Mapping[str, OtherPhoto] = field(default_factory=dict)
    method: str = "null-text"

    @property
    def objects(self) -> tuple[str, ...]:
        """The phrases that the edits name, each once."""
        return tuple(dict.fromkeys(phrase for edit in self.edits for phrase in edit.objects))

    def check_words(self, model: DiffusionModel) -> None:
        """Raises `PhraseError` unless the prompt holds every object once: said before anything slow."""
        for phrase in self.objects:
            model.positions(self.prompt, phrase)


@dataclass(frozen=True, eq=False)
class Edited:
    """The result, the mask (1, 1, H, W) of what may differ from the photo, the report, and pictures of
    the way there (1, 3 or 1, h, w)."""

    photo: Photo
    touched: Tensor
    report: EditReport
    work: dict[str, Tensor]


def _silent(label: str) -> None:
    """Report progress to nobody."""


def edit_photo(
    model: DiffusionModel,
    task: Task,
    perceptual: Perceptual,
    settings: Settings = DEFAULTS,
    on_step: Callable[[str], None] = _silent,
) -> Edited:
    """Make all edits of a task in one run of the sampler.

    Raises:
        PhraseError: a prompt does not name an edit's object exactly once.
        EditError: an object is not found, or would leave the photo, or edits contradict each other.
    """
    began = time.perf_counter()
    task.check_words(model)
    photo = task.photo.tensor()
    with model.metered() as meter:
        seen = see(model, photo, task.prompt, settings, task.method, lambda i: on_step("inverting"))
        given = {phrase: _given(model, task, seen, phrase) for phrase in task.objects}
        guests = _guests(model, task, settings, lambda i: on_step("inverting"))
        extras = [
            bring(model, guests[e.source], e, settings, lambda i: on_step("clearing"))
            for e in task.edits
            if isinstance(e, Insert)
        ]
        plan = make_plan(model, seen, task.edits, given, extras, settings, lambda i: on_step("clearing"))
        stage = set_stage(seen.small, plan.cast, settings.margin)
        drawn = _draw(model, seen, plan, stage, guests, settings, lambda i: on_step("editing"))
        script = drawn.script
        result, whole = paste(model, task.photo, given, plan, stage, drawn, settings)
        objects = _objects(model, result, script, stage, plan, settings)
        rebuilt = reconstruct(model, seen.reference)
    report = report_on(
        before=task.photo,
        after=result,
        touched=whole.touched,
        objects=objects,
        reconstruction=(seen.small, rebuilt),
        perceptual=perceptual,
        evaluations=meter.forward_equivalents,
        seconds=time.perf_counter() - began,
        from_cache=seen.from_cache,
        guidance=script.told(),
        overlaps=_overlaps(plan, whole),
    )
    work = {
        "object": torch.stack([*plan.cast.sources, torch.zeros_like(stage.hole)]).amax(0),
        "plate": plan.cast.backdrop.plate,
        "rough": script.rough,
        "hole": stage.hole,
        "touched": stage.touched,
        "generated": drawn.picture,
        "reconstruction": rebuilt,
    }
    return Edited(task.photo.with_rgb(result), whole.touched, report, work)


def _given(model: DiffusionModel, task: Task, seen: Seen, phrase: str) -> Given:
    """Where an object is: as the user said, or where its words attend."""
    photo, by_user = task.photo.tensor(), phrase in task.masks or phrase in task.points
    if phrase in task.points:
        return Given(find_at(photo, seen, task.points[phrase]), by_user)
    words = model.positions(task.prompt, phrase)
    return Given(find_object(photo, seen, words, phrase, task.masks.get(phrase)), by_user)


def _guests(
    model: DiffusionModel, task: Task, settings: Settings, on_step: Callable[[int], None]
) -> dict[Source, Guest]:
    """What the edits take from other photos."""
    guests = {}
    for edit in task.edits:
        source = edit.source if isinstance(edit, Insert) else edit.look.source if edit.look else None
        if source is not None and source not in guests:
            guests[source] = meet(model, task.others[source.photo], source.object, settings, task.method, on_step)
    return guests


@dataclass(frozen=True, eq=False)
class _Drawing:
    """What the sampler made of a script: a picture (1, 3, h, w), and what is to be taken from it."""

    script: Script
    picture: Tensor
    looks: list[NewLook]

    @property
    def fit(self) -> float:
        """Of the look that fits worst."""
        return min((look.fit for look in self.looks if look.k in self.script.drawn), default=1.0)


def _draw(
    model: DiffusionModel,
    seen: Seen,
    plan: Plan,
    stage: Stage,
    guests: Mapping[Source, Guest],
    settings: Settings,
    on_step: Callable[[int], None],
) -> _Drawing:
    """Sample, again in another way while new looks do not fit; the best of the attempts."""
    schedule, best = model.schedule(settings.steps), None
    for attempt in settings.attempts:
        script = script_of(model, seen, plan, stage, guests, attempt, settings)
        picture = regenerate(model, seen, plan, stage, script, settings, on_step)
        made = _Drawing(
            script, picture, choose_looks(model, script, stage, plan.cast.backdrop.plate, picture, schedule, settings)
        )
        if best is None or made.fit > best.fit + settings.better:
            best = made
        if best.fit >= settings.fitting:
            break
    assert best is not None  # there is always one attempt
    return best


def paste(
    model: DiffusionModel,
    photo: Photo,
    given: Mapping[str, Given],
    plan: Plan,
    small: Stage,
    drawn: _Drawing,
    settings: Settings,
) -> tuple[np.ndarray, Stage]:
    """The result (H, W, 3) at the photo's own size, and what is where in it; objects' pixels come from
    the photo itself, new looks from the model."""
    cast = plan.cast
    backdrop = Backdrop(resize(cast.backdrop.plate, photo.size), resize(cast.backdrop.crumbs, photo.size))
    shadows = [resize(shadow, photo.size) for shadow in cast.shadows]
    large = replace(cast, sources=[g.mask for g in given.values()], shadows=shadows, backdrop=backdrop)
    whole = set_stage(photo.tensor(), large, settings.margin)
    rough = whole.rough
    for look in drawn.looks:
        rough = look.put_on(rough, whole, drawn.picture, small)
    canvas = Canvas(photo.rgb, rough, whole.touched, whole.moved)
    return paste_back(model, canvas, drawn.picture, settings.feather), whole


def _objects(
    model: DiffusionModel, result: np.ndarray, script: Script, stage: Stage, plan: Plan, settings: Settings
) -> list[ObjectReport]:
    """Where every object was asked to be, and where the model sees it in the result."""
    picture = torch.from_numpy(result.copy()).permute(2, 0, 1)[None].float() / 255
    after = resize(picture, (stage.rough.shape[-1], stage.rough.shape[-2]))
    names = [s.phrase for s in plan.cast.subjects] + [e.phrase for e in plan.cast.extras]
    reports = []
    for k, (name, target) in enumerate(zip(names, stage.targets, strict=True)):
        span = script.prompt.spans.get(name)
        own = k < len(plan.cast.subjects)
        known = own and bool(plan.cast.subjects[k].words)
        sight = None
        if known and span and target.any():
            sight = look_for(model, after, script.prompt.prompt, span, settings)
        why = "not found in the result" if known else UNKNOWN if own else "it comes from another photo"
        words = script.prompt.prompt[slice(*span)] if span else name
        reports.append(ObjectReport.of(name, words, target, sight, why=why))
    return reports


def _overlaps(plan: Plan, stage: Stage) -> list[str]:
    """Which objects cover each other after the edit."""
    names = [s.phrase for s in plan.cast.subjects] + [e.phrase for e in plan.cast.extras]
    pairs = []
    for i, one in enumerate(stage.targets):
        for j in range(i):
            if (one * stage.targets[j]).any():
                pairs.append(f'"{names[j]}" and "{names[i]}"')
    return pairs
