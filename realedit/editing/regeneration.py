"""Sample a photo again from its inverted latents, under self-guidance, in the region that an edit frees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from inversion.phrases import find_phrase
from inversion.reference import Reference
from realedit.compositing.scene import LayeredScene, ObjectEdit
from realedit.editing.explaining import explanation
from realedit.edits import ObjectSource
from realedit.evaluation.report_parts import GuidanceReport
from realedit.geometry.correspondence import Correspondence
from realedit.geometry.warp import warp
from realedit.methods.controlnet import ControlMap, control_residuals
from realedit.morphology import union
from realedit.objects.source_objects import SourceObject
from realedit.sampling.background import background_prompt
from realedit.sampling.energies import ObjectTarget, WeightedSum, edit_energies
from realedit.sampling.guidance import Guidance, GuidedSteps, WeightedFeatures
from realedit.sampling.inverted_image import InvertedImage
from realedit.sampling.latent_blending import LatentBlend, touched_cells
from realedit.sampling.prediction import Conditioning
from realedit.sampling.prompts import (
    PromptSpans,
    object_prompt,
    phrase_with_appearance,
    setting_words,
)
from realedit.sampling.sampler import sample
from realedit.sampling.session import Session
from realedit.sampling.source_pass import FeatureEnergy, SourcePass, invert_up_to
from realedit.sampling.trace import Trace


@dataclass(frozen=True, eq=False)
class Regions:
    """What of a photo at the model's size an edit touches, masks (1, 1, h, w): the `hole` that leaving objects and
    their effects leave, all that gets a new look, `restyled`, and all that may change, `free`; from where everything
    else comes; and the photo as it is to be seen where objects are set down, `warped` (1, 3, h, w), None if none is."""

    hole: Tensor
    restyled: Tensor
    free: Tensor
    correspondence: Correspondence
    warped: Tensor | None


@dataclass(frozen=True, eq=False)
class Regenerated:
    """The `picture` (1, 3, h, w) that was sampled, the photo as the model gives it back, `rebuilt` (1, 3, h, w), the
    `prompt` with the characters that name each object, how guidance went, and its `explanation`, a picture
    (1, 3, H, W), if the session is traced."""

    picture: Tensor
    rebuilt: Tensor
    prompt: PromptSpans
    guidance: GuidanceReport
    explanation: Tensor | None


def regenerate(
    session: Session,
    inverted: InvertedImage,
    scene: LayeredScene,
    regions: Regions,
    sources: Mapping[ObjectSource, SourceObject],
    maps: Sequence[ControlMap] = (),
) -> Regenerated:
    """The photo sampled again with a scene's objects where and as they shall be, following `maps` of that.

    It starts from the photo's own inverted latents, in which old places have those of what is like their surroundings,
    and objects those of the photo warped as they are, inverted likewise: latents are not resampled, which would leave
    neither noise nor detail what they are. The energies place objects; the features seen in that inversion keep the
    look of every part of them (`FeatureEnergy`).
    """
    model, settings, schedule = session.model, session.settings, session.schedule
    source = SourcePass.of(model, inverted.reference)
    pivots, correspondence = source.pivots, regions.correspondence
    first = 0 if regions.restyled.any() else round(settings.regeneration.start * settings.steps)
    warped = None
    if regions.warped is not None:
        clean, on_step = model.encode(regions.warped), session.steps_of("inverting")
        warped = invert_up_to(first, clean, source, inverted.prompt, on_step)
    cells = correspondence.at((pivots.shape[-2], pivots.shape[-1]))
    start = cells.carry(pivots[first : first + 1], warped.latent if warped else None, nearest=True)
    free = touched_cells(regions.free, pivots)
    held = LatentBlend(pivots, 1 - 2 * free)  # free cells never
    words = _words(scene, inverted.prompt, sources)
    conditioning = _conditioning(session, inverted, words)
    read = replace(inverted, reference=session.maps.reference(model, inverted.reference))
    features = FeatureEnergy(source, warped, correspondence)
    guidance, trace = _guidance(session, read, scene, words, sources, (features, free))
    energy = session.maps.energy(schedule, conditioning.prompt, guidance.energy)
    guidance = replace(guidance, energy=energy, read=session.maps.sites)
    latent = sample(
        model,
        start,
        schedule,
        conditioning,
        walk=schedule.walk(first),
        guidance=guidance,
        residuals=control_residuals(model, maps),
        callbacks=[held],
        preview=session.preview(trace.preview if trace else None),
        on_step=session.steps_of("sampling"),
    )
    before, after = guidance.history[0].energy, guidance.history[-1].energy
    report = GuidanceReport(before, after, settings.tolerance, guidance.current, guidance.strength.most)
    explained = explanation(model, inverted.image, guidance, trace)
    return Regenerated(model.decode(latent).cpu(), model.decode(pivots[-1:]).cpu(), words, report, explained)


def _words(scene: LayeredScene, caption: str, sources: Mapping[ObjectSource, SourceObject]) -> PromptSpans:
    """The photo's own words; or where something gets a new look or goes, words that name just what of the edited
    objects is still to be seen, as it shall be, and the place."""
    if all(edit.appearance is None and edit.placements for edit in scene.objects):
        return PromptSpans(caption, {e.object.phrase: find_phrase(caption, e.object.phrase) for e in scene.objects})
    names = {edit.object.phrase: _new_words(edit, sources) for edit in scene.objects if edit.placements}
    if not names:
        return PromptSpans(background_prompt(caption, scene.phrases), {})
    return object_prompt(names, setting_words(caption, scene.phrases))


def _new_words(edit: ObjectEdit, sources: Mapping[ObjectSource, SourceObject]) -> str:
    phrase, appearance = edit.object.phrase, edit.appearance
    if appearance is None:
        return phrase
    if appearance.source is not None:
        return phrase_with_appearance(phrase, sources[appearance.source].object.phrase)
    return appearance.words or phrase


def _conditioning(session: Session, inverted: InvertedImage, words: PromptSpans) -> Conditioning:
    """Without new words the prompted row alone, which retraces the inversion."""
    model, settings, reference = session.model, session.settings, inverted.reference
    if words.prompt == inverted.prompt:
        return Conditioning(model.embed(inverted.prompt), reference.unconditional, 1.0)
    return Conditioning.plain(model, words.prompt, settings.steps, settings.draw_guidance_scale)


def _guidance(
    session: Session,
    inverted: InvertedImage,
    scene: LayeredScene,
    words: PromptSpans,
    sources: Mapping[ObjectSource, SourceObject],
    regions: tuple[FeatureEnergy, Tensor],
) -> tuple[Guidance, Trace | None]:
    """The energies of all objects that are still to be seen, and the features of what comes from elsewhere; in the
    region (1, 1, h, w) that is free. And the trace of them, if one is kept."""
    settings, (features, free) = session.settings, regions
    shown = [edit for edit in scene.objects if edit.placements]
    targets = {
        words.named(edit.object.phrase): ObjectTarget(
            edit.object.tokens,
            session.model.span_positions(words.prompt, words.spans[edit.object.phrase]),
            edit.placements,
            _vacated(edit),
            edit.appearance is not None,
            _borrowed(session, edit, sources),
        )
        for edit in shown
    }
    new = words.prompt != inverted.prompt
    others = [] if new or not targets else [other.tokens for other in scene.others]  # new words name no others
    asked = edit_energies(inverted.reference, list(targets.values()), others, settings.weights)
    named = list(zip((words.words(edit.object.phrase) for edit in shown), targets.values(), strict=True))
    further = session.maps.terms(session.schedule, inverted.reference, named, settings.weights)
    energy = WeightedSum((*asked.terms, *further))
    chosen = settings.regeneration
    strength = settings.look_strength if new else chosen.strength
    guided = GuidedSteps(0.0, chosen.guided_until, chosen.dense_until)
    trace = Trace(settings.steps, inverted.reference, targets) if session.traced else None
    watched, pulled = trace.watched(energy) if trace else energy, WeightedFeatures(chosen.features, features)
    return Guidance(watched, free, strength, settings.tolerance, guided, pulled), trace


def _vacated(edit: ObjectEdit) -> Tensor:
    """Of an object's old place what it does not cover now."""
    return edit.mask * (1 - union([(warp(edit.mask, p) > 0.5).float() for p in edit.placements], edit.mask))


def _borrowed(
    session: Session, edit: ObjectEdit, sources: Mapping[ObjectSource, SourceObject]
) -> tuple[Reference, tuple[int, ...]] | None:
    """The reference and the tokens of the object whose look it takes on, if it is one that the model knows."""
    source = sources[edit.appearance.source] if edit.appearance and edit.appearance.source else None
    if source is None or source.inverted is None:
        return None
    return session.maps.reference(session.model, source.inverted.reference), source.object.tokens
