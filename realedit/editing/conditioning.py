"""What the sampler is told: words, energies and a rough picture."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from inversion.model import DiffusionModel
from inversion.phrases import find_phrase
from inversion.text import Embedding
from realedit.appearance.recolouring import Recolouring
from realedit.appearance.selection import _recoloured
from realedit.appearance.target_colours import Palette
from realedit.compositing.composite import Stage
from realedit.editing.decomposition import Plan
from realedit.edits import Source
from realedit.evaluation.report import GuidanceReport
from realedit.objects.source_objects import Guest
from realedit.sampling.energies import Wanted, edit_energies
from realedit.sampling.guidance import Guidance
from realedit.sampling.inverted_image import Seen, rows_of
from realedit.sampling.latent_blending import TOUCHED, to_cells
from realedit.sampling.prompts import Reworded, describe, dressed, setting_of
from realedit.sampling.sampler import Rows
from realedit.settings import Settings


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
