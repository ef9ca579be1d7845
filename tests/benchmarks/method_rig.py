"""How each system is run on a case: as the program runs it, with the same model, photo and words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from torch import Tensor

from inversion.errors import RealEditError
from inversion.model import DiffusionModel
from inversion.weights import bundled_samples
from realedit.editing.filling import fill_marked
from realedit.editing.pipeline import edit
from realedit.editing.redrawing import redraw
from realedit.editing.request import Hints
from realedit.engines import (
    Asyrp,
    BoundaryDiffusion,
    ClassGuidance,
    Drag,
    DraggedPoint,
    SDEdit,
)
from realedit.evaluation.metrics import PerceptualMetric
from realedit.files.photo import Photo
from realedit.images import to_bytes
from realedit.inpainting.filler import AutomaticFill, FillChoice
from realedit.methods.classifier_guidance import guiding_classes
from realedit.methods.controlnet import BUNDLED_EDGES, ControlMap, load_controlnet
from realedit.methods.readout import map_reading
from realedit.morphology import dilate
from realedit.sampling.prompts import object_prompt
from realedit.sampling.session import Session
from realedit.settings import DEFAULTS, ENERGIES, Mode
from samples.edges import edges
from samples.scenes import COLOURS
from samples.small_scenes import SIDE
from tests.benchmarks.cases import Case
from tests.benchmarks.direction_cases import found_direction
from tests.benchmarks.drag_cases import DragCase
from tests.benchmarks.edit_cases import EditCase
from tests.benchmarks.fillers import telea
from tests.benchmarks.rows import cut_paste_inpaint

MARKED_BEYOND = 0.03  # of the shorter side, by which a person's mark goes beyond what it means
DIRECTION_STEPS = 10  # of inversion and sampling along a direction, which is found once
CLASS_SCALE = 40.0  # of the classifier's gradient
UNCONDITIONAL = str(bundled_samples() / "unconditional")  # the small model without words
HARMONISED = 0.4  # of the schedule that SDEdit draws anew of what was pasted
READOUT = ENERGIES[1]
Row = Callable[[Any], tuple[Tensor, Tensor | None]]


@dataclass(frozen=True, eq=False)
class Rig:
    """What every system works with."""

    model: DiffusionModel
    perceptual: PerceptualMetric

    @property
    def session(self) -> Session:
        return Session(self.model, DEFAULTS)

    def edited(
        self, mode: Mode, fill: FillChoice = AutomaticFill(), *, along: bool = False, energies: str = ENERGIES[0]
    ) -> Row:
        """realedit's own edit, the object found by its words, `along` the photo's edges, and what `energies` read;
        what is refused is the photo unchanged."""
        settings = replace(DEFAULTS, mode=mode)

        def row(case: Any) -> tuple[Tensor, Tensor | None]:
            photo = Photo(to_bytes(case.before))
            try:
                done = edit(
                    self.model,
                    photo,
                    case.prompt,
                    case.edit,
                    hints=Hints(controls=self.own_edges(case) if along else (), read=map_reading(self.model, energies)),
                    fill=fill,
                    settings=settings,
                    perceptual=self.perceptual,
                )
            except RealEditError:
                return case.before, None
            return done.photo.tensor(), done.editable

        return row

    @cached_property
    def edge_network(self) -> Any:
        """The bundled ControlNet."""
        return load_controlnet(BUNDLED_EDGES, self.model)

    def along_edges(self, rows: Mapping[str, Row]) -> Mapping[str, Row]:
        """Rows that need the bundled ControlNet; none where it is not there."""
        return rows if (bundled_samples() / BUNDLED_EDGES).is_dir() else {}

    def own_edges(self, case: Any) -> tuple[ControlMap, ...]:
        """What `--control` is given: the photo's own edges."""
        return (ControlMap(self.edge_network, edges(case.before)),)

    def redrawn(self, engine: Callable[[EditCase], Any], *, marked: bool = False, along: bool = False) -> Row:
        """`relook --engine` in the words of the truth; `marked`: with the object's mask, grown, and in words of that
        alone; `along` the photo's edges."""

        def row(case: EditCase) -> tuple[Tensor, Tensor | None]:
            mask = marked_by_hand(case.sources[0]) if marked else None
            texts = (case.prompt, photo_of(case.edit.words) if marked else case.wanted)
            maps = self.own_edges(case) if along else ()
            photo = redraw(self.session, Photo(to_bytes(case.before)), texts, engine(case), mask, maps)
            return photo.tensor(), mask

        return row

    def classified(self, case: EditCase) -> tuple[Tensor, Tensor | None]:
        """`relook --engine sdedit --class` in words without the colour, which the classifier alone knows."""
        *looks, shape = case.edit.words.split()
        asked = ClassGuidance(words=tuple(look for look in looks if look in COLOURS), scale=CLASS_SCALE)
        session = replace(self.session, guide=guiding_classes(self.model, asked))
        mask, texts = marked_by_hand(case.sources[0]), (case.prompt, photo_of(shape))
        return redraw(session, Photo(to_bytes(case.before)), texts, SDEdit(strength=0.7), mask).tensor(), mask

    @cached_property
    def along(self) -> str:
        """The folder of the direction between two colours, of this model."""
        return found_direction(self.model, Path(mkdtemp()), DIRECTION_STEPS, small=self.model.native_size == SIDE)

    def directed(self, kind: type[Asyrp | BoundaryDiffusion], by: float, *, marked: bool) -> Row:
        """`direction apply`, under no words; `marked`: with the object's mask, grown."""

        def row(case: EditCase) -> tuple[Tensor, Tensor | None]:
            mask = marked_by_hand(case.sources[0]) if marked else None
            session = Session(self.model, replace(DEFAULTS, steps=DIRECTION_STEPS))
            engine = kind(direction=self.along, by=by)
            return redraw(session, Photo(to_bytes(case.before)), ("", ""), engine, mask).tensor(), mask

        return row

    def filled(self, choice: FillChoice) -> Row:
        """`fill` of where the true pictures differ, grown, in the words of the empty place."""

        def row(case: EditCase) -> tuple[Tensor, Tensor | None]:
            mask = marked_by_hand(case.region)
            photo = fill_marked(self.session, Photo(to_bytes(case.before)), case.wanted, mask, choice)
            return photo.tensor(), mask

        return row

    def harmonised(self, case: Case) -> tuple[Tensor, Tensor | None]:
        """SDEdit over cut and paste, where that changed the photo."""
        pasted, _ = cut_paste_inpaint(case)
        mask = marked_by_hand(((case.source + case.target) > 0).float())
        texts, engine = (case.prompt, photo_of(case.edit.object)), SDEdit(strength=HARMONISED)
        return redraw(self.session, Photo(to_bytes(pasted)), texts, engine, mask).tensor(), mask

    def dragged(self, case: DragCase) -> tuple[Tensor, Tensor | None]:
        """`drag`, with a mask of all that changes, grown, and in the words of the object."""
        mask = marked_by_hand(case.region)
        engine = Drag(points=tuple(DraggedPoint(start=a, end=b) for a, b in case.points))
        texts = (case.prompt, photo_of(case.edit.object))
        return redraw(self.session, Photo(to_bytes(case.before)), texts, engine, mask).tensor(), mask


def photo_of(phrase: str) -> str:
    """The prompt of a marked object, as the program makes it."""
    return object_prompt({phrase: phrase}, "").prompt


def marked_by_hand(mask: Tensor) -> Tensor:
    """As a person marks it: beyond its edge, since what is left out stays."""
    return dilate(mask, MARKED_BEYOND)


def telea_filled(case: EditCase) -> tuple[Tensor, Tensor | None]:
    mask = marked_by_hand(case.region)
    return telea(case.before, mask, torch.zeros_like(mask)), mask


def do_nothing(case: Any) -> tuple[Tensor, Tensor | None]:
    return case.before, None
