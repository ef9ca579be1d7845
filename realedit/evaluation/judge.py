"""Judge a result without the model that made it, by pictures and masks alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from realedit.evaluation.arrival import arrival, frame_contact, needless_change
from realedit.evaluation.closeup import inside
from realedit.evaluation.new_look import new_look
from realedit.evaluation.old_place import old_place
from realedit.evaluation.outline import outline
from realedit.evaluation.verdict import Finding, Level, Limits, Verdict, worst
from realedit.morphology import dilate, union

NEVER = float("inf")
OTHERS_REACH = 0.06  # of the shorter side: so near to what else was moved a change is not a new look's

# What a measure is, is said where it is measured. All limits were set on results that were scored by eye.
DETAIL = Limits(look=0.67, failed=0.5)  # a third less is seen in grass, half in everything
SMOOTH = Limits(look=0.2, failed=0.6)  # shares of the old place: a patch, and most of it
TONE = Limits(look=8.0, failed=12.0)  # CIELAB: a tint that could be shade, and a stain
FOREIGN = Limits(look=9.0, failed=NEVER)  # CIELAB: more than waves differ; things in truth do, too
MIXED = Limits(look=0.17, failed=NEVER)  # shares of the outline; no flaw of its own
ARRIVED = Limits(look=0.9, failed=0.75)  # shares of the object: more than its rim, and a piece, is not its own
CUT = Limits(look=0.15, failed=0.7)  # sides of the object: a corner, and most of a side, is beyond the frame
NEEDLESS = Limits(look=0.01, failed=0.05)  # shares of the frame
EDGED = Limits(look=0.5, failed=0.3)  # shares of the outline
BOXED = 0.97  # of its bounding box: a mask that fills as much is a rectangle
CHANGED = Limits(look=0.5, failed=0.15)  # shares of the object
SPILLED = Limits(look=0.1, failed=0.3)  # of the object's area
DYED = Limits(look=0.12, failed=0.25)  # shares of the object: a logo, and glass and tyres


@dataclass(frozen=True, eq=False)
class JudgedObject:
    """An object of an edit: its `mask` (1, 1, h, w) in the photo that it comes from; its `copies`, where it was set
    down anew, each as its own pixels (1, 3, H, W) where they were to be and their opacity (1, 1, H, W); whether it got
    a new look; and the other `photo` (1, 3, h, w) that it comes from, None if it is the edited one."""

    phrase: str
    mask: Tensor
    copies: Sequence[tuple[Tensor, Tensor]] = ()
    restyled: bool = False
    photo: Tensor | None = None


@dataclass(frozen=True, eq=False)
class JudgedEdit:
    """The pictures `before` and `after` (1, 3, H, W), the region `vacated` (1, 1, H, W) that was filled, the objects,
    and all that was set down, `covered` (1, 1, H, W), None: as the objects' copies say, which then have that size."""

    before: Tensor
    after: Tensor
    vacated: Tensor
    objects: Sequence[JudgedObject]
    covered: Tensor | None = None

    @property
    def arrived(self) -> Tensor:
        """All that was set down, (1, 1, H, W)."""
        copies = [opacity for each in self.objects for _, opacity in each.copies]
        return union(copies, self.before) if self.covered is None else self.covered


def judge(edit: JudgedEdit) -> Verdict:
    """Judge the result of an edit by what is to be seen."""
    findings = list(_of_old_place(edit))
    for each in edit.objects:
        if (each.copies or each.restyled) and inside(each.mask).any():  # what only goes may go with its surroundings
            findings += _of_selection(edit, each)
        for pixels, opacity in each.copies:
            findings += _of_arrival(edit, each, pixels, opacity)
        if each.restyled and not each.copies:
            findings += _of_new_look(edit, each)
    return Verdict.of([*findings, _of_rest(edit)])


def _of_old_place(edit: JudgedEdit) -> Iterator[Finding]:
    arrived = (edit.arrived > 0.5).float()
    found = old_place(edit.after, edit.vacated * (1 - arrived), arrived)
    if found is None:
        return
    yield Finding(
        worst(DETAIL.level(found.detail), SMOOTH.level(found.smooth)),
        "the old place is smoother than what is around it "
        f"(detail {found.detail:.2f}; {found.smooth:.0%} of it has less than half)",
        {"detail": found.detail, "smooth": found.smooth},
    )
    mixed = MIXED.level(found.mixed)
    colours = worst(TONE.level(found.tone), FOREIGN.level(found.foreign))
    yield Finding(
        # Where things meet, one of them may well come to an end within the old place.
        Level.LOOK if colours is Level.FAILED and mixed is not Level.GOOD else colours,
        f"the old place has other colours than what is around it (tone {found.tone:.0f}, foreign {found.foreign:.0f})",
        {"tone": found.tone, "foreign": found.foreign},
    )
    yield Finding(
        mixed,
        f"several things meet at the old place, so what was hidden is a guess (mixed {found.mixed:.0%})",
        {"mixed": found.mixed},
    )


def _of_selection(edit: JudgedEdit, each: JudgedObject) -> Iterator[Finding]:
    found = outline(edit.before if each.photo is None else each.photo, each.mask)
    level = EDGED.level(found.edged)
    if level is not Level.GOOD and found.boxed >= BOXED:
        level, what = Level.FAILED, "is a box, not an object"
    else:
        what = "may be more or less than the object: little of its outline is an edge of the photo"
    yield Finding(
        level,
        f'what was selected as "{each.phrase}" {what} (edged {found.edged:.0%})',
        _named(each, {"edged": found.edged, "boxed": found.boxed}),
    )


def _of_arrival(edit: JudgedEdit, each: JudgedObject, pixels: Tensor, opacity: Tensor) -> Iterator[Finding]:
    found = arrival(edit.after, pixels, opacity)
    if not each.restyled:
        yield Finding(
            ARRIVED.level(found.arrived),
            f'"{each.phrase}" did not arrive whole (only {found.arrived:.0%} of it is its own)',
            _named(each, {"arrived": found.arrived}),
        )
    cut = found.cut - frame_contact(each.mask)
    yield Finding(CUT.level(cut), f'the frame cuts "{each.phrase}" off (cut {cut:.2f})', _named(each, {"cut": cut}))


def _of_new_look(edit: JudgedEdit, each: JudgedObject) -> Iterator[Finding]:
    moved = dilate(union([edit.vacated, edit.arrived], edit.before), OTHERS_REACH) * (1 - each.mask)
    found = new_look(edit.before, torch.where(moved > 0.5, edit.before, edit.after), each.mask)
    yield Finding(
        CHANGED.level(found.changed),
        f'"{each.phrase}" hardly changed (visibly on {found.changed:.0%} of it)',
        _named(each, {"changed": found.changed}),
    )
    yield Finding(
        SPILLED.level(found.spilled),
        f'more than "{each.phrase}" changed (spilled {found.spilled:.2f} of its area)',
        _named(each, {"spilled": found.spilled}),
    )
    yield Finding(
        DYED.level(found.dyed),
        f'what was grey in "{each.phrase}", such as glass or print, has a colour now (dyed {found.dyed:.0%})',
        _named(each, {"dyed": found.dyed}),
    )


def _of_rest(edit: JudgedEdit) -> Finding:
    needed = [each.mask for each in edit.objects if each.photo is None]
    needed += [opacity for each in edit.objects for _, opacity in each.copies]
    share = needless_change(edit.before, edit.after, needed or [edit.vacated])
    return Finding(
        NEEDLESS.level(share),
        f"more of the photo changed than the edit needs (needless {share:.1%} of the frame)",
        {"needless": share},
    )


def _named(each: JudgedObject, measures: Mapping[str, float]) -> dict[str, float]:
    return {f"{each.phrase}: {name}": value for name, value in measures.items()}
