"""What the sampler is told where it draws a new look: words, energies, and the composite in its new colours."""

from dataclasses import dataclass

from torch import Tensor

from inversion.reference import Reference
from inversion.text import Embedding
from realedit.appearance.selection import AppearanceChange, Changes, recolour_objects
from realedit.compositing.composite import Composite
from realedit.compositing.scene import LayeredScene
from realedit.evaluation.report_parts import GuidanceReport
from realedit.sampling.energies import ObjectTarget, edit_energies
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.inverted_image import InvertedImage
from realedit.sampling.latent_blending import touched_cells
from realedit.sampling.prediction import Conditioning
from realedit.sampling.prompts import PromptSpans, object_prompt, setting_words
from realedit.sampling.session import Session
from realedit.sampling.trace import Trace


@dataclass(frozen=True, eq=False)
class SamplingPlan:
    """What the sampler is told: the `conditioning` of its two rows, the `prompt` of the first with the characters that
    name each object, `image` (1, 3, h, w), the composite in its new colours, and the `guidance`, with the `trace` of
    it, if one is kept.

    `texts` are the old words and the new ones, whose score for a picture can be compared; `changes` say how each object
    takes on its new appearance.
    """

    conditioning: Conditioning
    prompt: PromptSpans
    texts: tuple[Embedding, Embedding]
    image: Tensor
    changes: Changes
    guidance: Guidance
    trace: Trace | None

    def guidance_report(self) -> GuidanceReport | None:
        """How the energies went, once sampled."""
        if not self.guidance.history:
            return None
        first, last = self.guidance.history[0].energy, self.guidance.history[-1].energy
        return GuidanceReport(first, last, self.guidance.tolerance, self.guidance.current, self.guidance.strength.most)


def plan_sampling(
    session: Session, inverted: InvertedImage, scene: LayeredScene, composite: Composite, changes: Changes
) -> SamplingPlan:
    """Put a scene's edits into words, energies and a picture to start from."""
    conditioning, prompt, texts = _texts(session, inverted, scene, changes)
    recoloured, image = recolour_objects(session, composite, changes, texts)
    guidance, trace = _guidance(session, inverted, scene, composite, changes, prompt)
    return SamplingPlan(conditioning, prompt, texts, image, recoloured, guidance, trace)


def _texts(
    session: Session, inverted: InvertedImage, scene: LayeredScene, changes: Changes
) -> tuple[Conditioning, PromptSpans, tuple[Embedding, Embedding]]:
    """Words that name just the edited objects, as they shall be, and the place."""
    model = session.model
    names = {
        edit.object.phrase: change.words if change is not None else edit.object.phrase
        for edit, change in zip(scene.objects, changes, strict=True)
        if edit.placements
    }
    place = setting_words(inverted.prompt, scene.phrases)
    prompt = object_prompt(names, place)
    scale = session.settings.draw_guidance_scale
    conditioning = Conditioning.plain(model, prompt.prompt, session.settings.steps, scale)
    old = model.embed(object_prompt({name: name for name in names}, place).prompt)
    return conditioning, prompt, (old, conditioning.prompt)


def _guidance(
    session: Session,
    inverted: InvertedImage,
    scene: LayeredScene,
    composite: Composite,
    changes: Changes,
    prompt: PromptSpans,
) -> tuple[Guidance, Trace | None]:
    """The energies of all objects, for the steps in which cells are free; and the trace of them, if one is kept."""
    settings = session.settings
    targets = {
        prompt.named(edit.object.phrase): ObjectTarget(
            edit.object.tokens,
            session.model.span_positions(prompt.prompt, prompt.spans[edit.object.phrase]),
            edit.placements,
            composite.vacated(edit.mask),
            change is not None and change.generated,
            _borrowed(change),
        )
        for edit, change in zip(scene.objects, changes, strict=True)
        if edit.object.phrase in prompt.spans
    }
    # Words of new appearances name no others.
    energy = edit_energies(inverted.reference, list(targets.values()), (), settings.weights)
    region = touched_cells(composite.editable, inverted.reference.pivots)
    guided = GuidedSteps(settings.look_from, settings.guided_until)
    trace = Trace(settings.steps, inverted.reference, targets) if session.traced else None
    watched = trace.watched(energy) if trace else energy
    return Guidance(watched, region, settings.look_strength, settings.tolerance, guided), trace


def _borrowed(change: AppearanceChange | None) -> tuple[Reference, tuple[int, ...]] | None:
    """The reference and the tokens of the object whose appearance is drawn, if it is one's."""
    if change is None or change.source is None or change.source.inverted is None or not change.generated:
        return None
    return change.source.inverted.reference, change.source.object.tokens
