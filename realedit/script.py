"""What the sampler is told: words, energies and a rough picture."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from inversion.model import DiffusionModel
from inversion.phrases import find_phrase
from inversion.text import Embedding
from realedit.compositing import to_cells
from realedit.dressing import painted
from realedit.edits import Source
from realedit.energies import Wanted, edit_energies
from realedit.fitting import fit
from realedit.guests import Guest
from realedit.guidance import Guidance
from realedit.inverting import Seen, rows_of
from realedit.palettes import Palette
from realedit.planning import Plan
from realedit.recolouring import Recolouring, recolourings
from realedit.report import GuidanceReport
from realedit.rewording import Reworded, describe, dressed, setting_of
from realedit.sampler import Rows
from realedit.settings import Settings
from realedit.staging import Stage

BETTER = 0.05  # in fit: much better
TOUCHED = 0.01  # share of a cell from which it counts as touched


@dataclass(frozen=True, eq=False)
class Script:
    """What the sampler is told: the `rows` of text, the `prompt` of the first with the characters that
    name each object, the `rough` result (1, 3, h, w), which subjects the model shall give a new look
    (`drawn`), all that get one (`dressed`), those whose look is another object's (`borrowed`), how their pixels take on
    the new look's colours where these are known (`recolourings`), and the guidance. `words`: the old ones and the new
    ones, whose fit to a picture can be compared."""

    rows: Rows
    prompt: Reworded
    words: tuple[Embedding, Embedding]
    rough: Tensor
    drawn: list[int]
    dressed: list[int]
    borrowed: list[int]
    recolourings: Mapping[int, Recolouring]
    guidance: Guidance | None

    def told(self) -> GuidanceReport | None:
        """How the energies went, once sampled."""
        if self.guidance is None or not self.guidance.measured:
            return None
        first, last = self.guidance.measured[0].energy, self.guidance.measured[-1].energy
        return GuidanceReport(first, last, self.guidance.tolerance, self.guidance.current)


def script_of(
    model: DiffusionModel,
    seen: Seen,
    plan: Plan,
    stage: Stage,
    guests: Mapping[Source, Guest],
    colours: Mapping[int, Palette],
    settings: Settings,
) -> Script:
    """Put the plan into words, energies and a rough picture."""
    subjects = plan.cast.subjects
    names, new, drawn = {}, [], []
    borrowed = [k for k, subject in enumerate(subjects) if subject.look is not None and subject.look.source]
    for k, subject in enumerate(subjects):
        words, look = subject.phrase, subject.look
        if look is not None:
            new.append(k)
            guest = guests[look.source] if look.source else None
            if guest is not None:
                words = dressed(subject.phrase, guest.phrase)
            if look.words is not None or (subject.words and guest is not None and guest.words):
                words = look.words or words
                drawn.append(k)
        if subject.placements:
            names[subject.phrase] = words
    caption = seen.reference.header.prompt
    if drawn:
        setting = setting_of(caption, [*(s.phrase for s in subjects), *(o.phrase for o in plan.others)])
        prompt = describe(names, setting)
        empty = model.unprompted().repeat(len(seen.reference.header.timesteps))
        rows = Rows(model.embed(prompt.prompt), empty, settings.draw_guidance_scale)
        old = model.embed(describe({n: n for n in names}, setting).prompt)
    else:
        prompt = Reworded(caption, {s.phrase: find_phrase(caption, s.phrase) for s in subjects})
        rows = rows_of(model, seen.reference)
        old = rows.prompt
    texts = (old, rows.prompt)
    guidance = _guidance(model, seen, plan, stage, guests, prompt, drawn, settings)
    found, rough = _recoloured(model, stage, colours, texts, drawn, settings)
    return Script(rows, prompt, texts, rough, drawn, new, borrowed, found, guidance)


def _recoloured(
    model: DiffusionModel,
    stage: Stage,
    colours: Mapping[int, Palette],
    words: tuple[Embedding, Embedding],
    drawn: list[int],
    settings: Settings,
) -> tuple[dict[int, Recolouring], Tensor]:
    """How each subject takes on its new colours, and the rough result (1, 3, h, w) in them: in the likeliest way,
    unless another fits the words much better, where the model knows them."""
    found, rough = {}, stage.rough
    schedule = model.schedule(settings.steps)
    for k, wanted in colours.items():
        own, opacity = stage.own[k], stage.opacities[k]
        ways = recolourings(stage.colours(k, own), wanted.colours, wanted.dulled)
        pictures = [painted(rough, opacity, own, way.of(own, opacity)) for way in ways]
        best = 0
        if k in drawn and len(ways) > 1:
            fits = [fit(model, picture, stage.targets[k], words, schedule, settings) for picture in pictures]
            best = fits.index(max(fits)) if max(fits) > fits[0] + BETTER else 0
        found[k], rough = ways[best], pictures[best]
    return found, rough


def _guidance(
    model: DiffusionModel,
    seen: Seen,
    plan: Plan,
    stage: Stage,
    guests: Mapping[Source, Guest],
    prompt: Reworded,
    drawn: list[int],
    settings: Settings,
) -> Guidance | None:
    """The energies of all objects, for the steps in which cells are free; None where the model does not
    know an object."""
    subjects = plan.cast.subjects
    if not subjects or not plan.known or settings.strength.most == 0:
        return None
    wanted = []
    for k, (subject, vacated) in enumerate(zip(subjects, stage.vacated(plan.cast.sources), strict=True)):
        if subject.phrase in prompt.spans:
            now = model.span_positions(prompt.prompt, prompt.spans[subject.phrase])
            source = subject.look.source if subject.look else None
            look = (guests[source].seen.reference, guests[source].words) if source and k in drawn else None
            wanted.append(Wanted(subject.words, now, subject.placements, vacated, k in drawn, look))
    others = [] if drawn else [o.words for o in plan.others]  # words for looks name no others
    energy = edit_energies(seen.reference, wanted, others, settings.weights)
    begin = settings.look_from if drawn else settings.surroundings_until
    region = to_cells(stage.touched, seen.reference.pivots, TOUCHED)
    strength = settings.look_strength if drawn else settings.strength
    return Guidance(energy, region, strength, settings.tolerance, begin, settings.guided_until)
