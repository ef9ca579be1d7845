"""The systems that take part in each task, by name."""

from collections.abc import Mapping

from realedit.engines import (
    Asyrp,
    BoundaryDiffusion,
    DiffuseIT,
    GuideAndRescale,
    Pix2PixZero,
    PlugAndPlay,
    PromptToPrompt,
    RePaint,
    SDEdit,
)
from realedit.inpainting.filler import PhotoFill, RepaintFill
from realedit.settings import Mode
from tests.benchmarks.method_rig import READOUT, Rig, Row, do_nothing, telea_filled


def look_rows(rig: Rig) -> Mapping[str, Row]:
    """Of a new look: those that keep structure change the whole photo, as in their papers, and what is marked."""
    engines = {
        "prompt-to-prompt": lambda case: PromptToPrompt(),
        "prompt-to-prompt, only": lambda case: PromptToPrompt(blend=case.edit.words),
        "plug-and-play": lambda case: PlugAndPlay(),
        "pix2pix-zero": lambda case: Pix2PixZero(),
        "guide-and-rescale": lambda case: GuideAndRescale(),
    }
    return {
        "do nothing": do_nothing,
        "composite": rig.edited(Mode.COMPOSITE),
        "self-guidance": rig.edited(Mode.REGENERATE),
        "self-guidance by readout": rig.edited(Mode.REGENERATE, energies=READOUT),
        **{name: rig.redrawn(engine) for name, engine in engines.items()},
        "plug-and-play, marked": rig.redrawn(lambda case: PlugAndPlay(), marked=True),
        "sdedit, marked": rig.redrawn(lambda case: SDEdit(strength=0.7), marked=True),
        "classifier guidance, marked": rig.classified,
        "diffuse-it, marked": rig.redrawn(lambda case: DiffuseIT(strength=0.8), marked=True),
        **rig.along_edges(
            {"sdedit along edges, marked": rig.redrawn(lambda case: SDEdit(strength=0.9), marked=True, along=True)}
        ),
    }


def direction_rows(rig: Rig) -> Mapping[str, Row]:
    """Of one colour for another: along a direction that photos tell, and in words."""
    return {
        "do nothing": do_nothing,
        "composite": rig.edited(Mode.COMPOSITE),
        "self-guidance": rig.edited(Mode.REGENERATE),
        "boundary-diffusion, marked": rig.directed(BoundaryDiffusion, 4.0, marked=True),
        "asyrp, marked": rig.directed(Asyrp, 2.0, marked=True),
    }


def small_direction_rows(rig: Rig) -> Mapping[str, Row]:
    """The same of a model without words."""
    return {
        "do nothing": do_nothing,
        "boundary-diffusion": rig.directed(BoundaryDiffusion, 2.0, marked=False),
        "boundary-diffusion, marked": rig.directed(BoundaryDiffusion, 2.0, marked=True),
        "asyrp": rig.directed(Asyrp, 2.0, marked=False),
        "asyrp, marked": rig.directed(Asyrp, 2.0, marked=True),
    }


def fill_rows(rig: Rig) -> Mapping[str, Row]:
    return {
        "do nothing": do_nothing,
        "composite": rig.edited(Mode.COMPOSITE),
        "self-guidance": rig.edited(Mode.REGENERATE),
        "repaint": rig.filled(RepaintFill()),
        "copies from around": rig.filled(PhotoFill()),
        "Telea": telea_filled,
    }


def move_rows(rig: Rig) -> Mapping[str, Row]:
    return {
        "do nothing": do_nothing,
        "composite": rig.edited(Mode.COMPOSITE),
        "self-guidance": rig.edited(Mode.REGENERATE),
        "self-guidance by readout": rig.edited(Mode.REGENERATE, energies=READOUT),
        **rig.along_edges({"self-guidance along edges": rig.edited(Mode.REGENERATE, along=True)}),
        "composite, repaint fills": rig.edited(Mode.COMPOSITE, RepaintFill(RePaint())),
        "sdedit over cut and paste": rig.harmonised,
    }


def drag_rows(rig: Rig) -> Mapping[str, Row]:
    """The edits of moves are asked for the same shift; of a turn they know nothing."""
    return {
        "do nothing": do_nothing,
        "composite": rig.edited(Mode.COMPOSITE),
        "self-guidance": rig.edited(Mode.REGENERATE),
        "drag": rig.dragged,
    }
