"""What the sampler is told: words, energies and a rough picture."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from inversion.model import DiffusionModel
from inversion.phrases import find_phrase
from inversion.text import Embedding
from realedit.appearance.recolouring import Recolouring
from realedit.appearance.selection import _recoloured
from realedit.appearance.target_colours import TargetColours
from realedit.compositing.composite import Composite
from realedit.editing.decomposition import Plan
from realedit.edits import ObjectSource
from realedit.evaluation.report import GuidanceReport
from realedit.objects.source_objects import SourceObject
from realedit.sampling.energies import ObjectTarget, edit_energies
from realedit.sampling.guidance import Guidance
from realedit.sampling.inverted_image import InvertedImage, photo_conditioning
from realedit.sampling.latent_blending import TOUCHED_SHARE, cells_of
from realedit.sampling.prompts import PromptSpans, object_prompt, phrase_with_appearance, setting_words
from realedit.sampling.sampler import Conditioning
from realedit.settings import Settings


@dataclass(frozen=True, eq=False)
class SamplingPlan:
    """What the sampler is told: the `rows` of text, the `prompt` of the first with the characters that
    name each object, the `rough` result (1, 3, h, w), which subjects the model shall give a new look
    (`drawn`), all that get one (`dressed`), those whose look is another object's (`borrowed`), how their pixels take on
    the new look's colours where these are known (`recolourings`), and the guidance. `words`: the old ones and the new
    ones, whose fit to a picture can be compared."""

    rows: Conditioning
    prompt: PromptSpans
    words: tuple[Embedding, Embedding]
    rough: Tensor
    drawn: list[int]
    dressed: list[int]
    borrowed: list[int]
    recolourings: Mapping[int, Recolouring]
    guidance: Guidance | None

    def guidance_report(self) -> GuidanceReport | None:
        """How the energies went, once sampled."""
        if self.guidance is None or not self.guidance.history:
            return None
        first, last = self.guidance.history[0].energy, self.guidance.history[-1].energy
        return GuidanceReport(first, last, self.guidance.tolerance, self.guidance.current)


def plan_sampling(
    model: DiffusionModel,
    seen: InvertedImage,
    plan: Plan,
    stage: Composite,
    guests: Mapping[ObjectSource, SourceObject],
    colours: Mapping[int, TargetColours],
    settings: Settings,
) -> SamplingPlan:
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
                words = phrase_with_appearance(subject.phrase, guest.phrase)
            if look.words is not None or (subject.words and guest is not None and guest.words):
                words = look.words or words
                drawn.append(k)
        if subject.placements:
            names[subject.phrase] = words
    caption = seen.reference.header.prompt
    if drawn:
        setting = setting_words(caption, [*(s.phrase for s in subjects), *(o.phrase for o in plan.others)])
        prompt = object_prompt(names, setting)
        empty = model.unprompted().repeat(len(seen.reference.header.timesteps))
        rows = Conditioning(model.embed(prompt.prompt), empty, settings.draw_guidance_scale)
        old = model.embed(object_prompt({n: n for n in names}, setting).prompt)
    else:
        prompt = PromptSpans(caption, {s.phrase: find_phrase(caption, s.phrase) for s in subjects})
        rows = photo_conditioning(model, seen.reference)
        old = rows.prompt
    texts = (old, rows.prompt)
    guidance = _guidance(model, seen, plan, stage, guests, prompt, drawn, settings)
    found, rough = _recoloured(model, stage, colours, texts, drawn, settings)
    return SamplingPlan(rows, prompt, texts, rough, drawn, new, borrowed, found, guidance)


def _guidance(
    model: DiffusionModel,
    seen: InvertedImage,
    plan: Plan,
    stage: Composite,
    guests: Mapping[ObjectSource, SourceObject],
    prompt: PromptSpans,
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
            wanted.append(ObjectTarget(subject.words, now, subject.placements, vacated, k in drawn, look))
    others = [] if drawn else [o.words for o in plan.others]  # words for looks name no others
    energy = edit_energies(seen.reference, wanted, others, settings.weights)
    begin = settings.look_from if drawn else settings.surroundings_until
    region = cells_of(stage.touched, seen.reference.pivots, TOUCHED_SHARE)
    strength = settings.look_strength if drawn else settings.strength
    return Guidance(energy, region, strength, settings.tolerance, begin, settings.guided_until)
