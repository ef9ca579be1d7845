"""What the sampler is told: words, energies, and the composite in its new colours."""

from dataclasses import dataclass

from torch import Tensor

from inversion.phrases import find_phrase
from inversion.reference import Reference
from inversion.text import Embedding
from realedit.appearance.selection import AppearanceChange, Changes, recolour_objects
from realedit.compositing.composite import Composite
from realedit.compositing.scene import LayeredScene
from realedit.evaluation.report import GuidanceReport
from realedit.sampling.energies import ObjectTarget, edit_energies
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.inverted_image import InvertedImage, photo_conditioning
from realedit.sampling.latent_blending import touched_cells
from realedit.sampling.prediction import Conditioning
from realedit.sampling.prompts import PromptSpans, object_prompt, setting_words
from realedit.sampling.session import Session


@dataclass(frozen=True, eq=False)
class SamplingPlan:
    """What the sampler is told: the `conditioning` of its two rows, the `prompt` of the first with the characters that
    name each object, `image` (1, 3, h, w), the composite in its new colours, and the `guidance`, if any.

    `texts` are the old words and the new ones, whose score for a picture can be compared; `changes` say how each object
    takes on its new appearance.
    """

    conditioning: Conditioning
    prompt: PromptSpans
    texts: tuple[Embedding, Embedding]
    image: Tensor
    changes: Changes
    guidance: Guidance | None

    @property
    def generates(self) -> bool:
        """Whether the model draws some new appearance."""
        return any(change is not None and change.generated for change in self.changes)

    def guidance_report(self) -> GuidanceReport | None:
        """How the energies went, once sampled."""
        if self.guidance is None or not self.guidance.history:
            return None
        first, last = self.guidance.history[0].energy, self.guidance.history[-1].energy
        return GuidanceReport(first, last, self.guidance.tolerance, self.guidance.current, self.guidance.strength.most)


def plan_sampling(
    session: Session, inverted: InvertedImage, scene: LayeredScene, composite: Composite, changes: Changes
) -> SamplingPlan:
    """Put a scene's edits into words, energies and a picture to start from."""
    conditioning, prompt, texts = _texts(session, inverted, scene, changes)
    recoloured, image = recolour_objects(session, composite, changes, texts)
    guidance = _guidance(session, inverted, scene, composite, changes, prompt)
    return SamplingPlan(conditioning, prompt, texts, image, recoloured, guidance)


def _texts(
    session: Session, inverted: InvertedImage, scene: LayeredScene, changes: Changes
) -> tuple[Conditioning, PromptSpans, tuple[Embedding, Embedding]]:
    """The photo's own words, with which its noise gives it back; or where the model draws a new appearance, words that
    name just the edited objects, as they shall be, and the place."""
    model, caption = session.model, inverted.prompt
    if not any(change is not None and change.generated for change in changes):
        conditioning = photo_conditioning(model, inverted.reference)
        spans = {edit.object.phrase: find_phrase(caption, edit.object.phrase) for edit in scene.objects}
        return conditioning, PromptSpans(caption, spans), (conditioning.prompt, conditioning.prompt)
    names = {
        edit.object.phrase: change.words if change is not None else edit.object.phrase
        for edit, change in zip(scene.objects, changes, strict=True)
        if edit.placements
    }
    place = setting_words(caption, scene.phrases)
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
) -> Guidance | None:
    """The energies of all objects, for the steps in which cells are free; None where there is none."""
    settings = session.settings
    if not scene.objects or settings.strength.most == 0:
        return None
    generates = any(change is not None and change.generated for change in changes)
    targets = [
        ObjectTarget(
            edit.object.tokens,
            session.model.span_positions(prompt.prompt, prompt.spans[edit.object.phrase]),
            edit.placements,
            composite.vacated(edit.mask),
            change is not None and change.generated,
            _borrowed(change),
        )
        for edit, change in zip(scene.objects, changes, strict=True)
        if edit.object.phrase in prompt.spans
    ]
    others = [] if generates else [other.tokens for other in scene.others]  # words of new appearances name no others
    energy = edit_energies(inverted.reference, targets, others, settings.weights)
    begin = settings.look_from if generates else settings.surroundings_until
    region = touched_cells(composite.editable, inverted.reference.pivots)
    strength = settings.look_strength if generates else settings.strength
    return Guidance(energy, region, strength, settings.tolerance, GuidedSteps(begin, settings.guided_until))


def _borrowed(change: AppearanceChange | None) -> tuple[Reference, tuple[int, ...]] | None:
    """The reference and the tokens of the object whose appearance is drawn, if it is one's."""
    if change is None or change.source is None or change.source.inverted is None or not change.generated:
        return None
    return change.source.inverted.reference, change.source.object.tokens
