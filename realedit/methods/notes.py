"""What there is of the field's systems, in a line each, for those who choose. No torch."""

from dataclasses import dataclass

from realedit.engines import (
    Asyrp,
    BoundaryDiffusion,
    DiffuseIT,
    Drag,
    EngineValue,
    GuideAndRescale,
    Pix2PixZero,
    PlugAndPlay,
    PromptToPrompt,
    RePaint,
    SDEdit,
)


@dataclass(frozen=True)
class SystemNote:
    """What is told of a system: its `name`, what it `does`, by what it is `used`, its `paper` and `cost`."""

    name: str
    does: str
    use: str
    paper: str
    cost: str


def _note(engine: type[EngineValue], use: str) -> SystemNote:
    return SystemNote(engine.model_fields["kind"].default, engine.does, use, engine.paper, engine.cost)


SYSTEM_NOTES = (
    SystemNote(
        "self-guidance",
        "places, sizes, shapes and looks of objects, as energies of attention and features",
        "move, resize, restyle and others with --mode regenerate; relook; relayout",
        "Epstein et al., 2306.00986",
        "2 N, half of them with gradient",
    ),
    SystemNote(
        "readout-guidance",
        "self-guidance whose energies read trained heads of features instead of attention",
        "the same with --mode regenerate --energies readout",
        "Luo et al., 2312.02150",
        "as self-guidance, and N to read the photo",
    ),
    _note(SDEdit, "relook --engine sdedit"),
    _note(RePaint, "fill; --fill repaint of edits"),
    _note(PromptToPrompt, "relook --engine prompt-to-prompt"),
    _note(PlugAndPlay, "relook --engine plug-and-play"),
    _note(Pix2PixZero, "relook --engine pix2pix-zero"),
    _note(DiffuseIT, "relook --engine diffuse-it"),
    _note(GuideAndRescale, "relook --engine guide-and-rescale"),
    _note(Drag, "drag PHOTO --from X,Y --to X,Y"),
    _note(BoundaryDiffusion, "direction apply"),
    _note(Asyrp, "direction apply --engine asyrp"),
    SystemNote(
        "classifier-guidance",
        "the gradient of a classifier of noisy or predicted latents; goes with every engine",
        "generate, relook --class WORD",
        "Dhariwal and Nichol, 2105.05233",
        "a small network with gradient, N times",
    ),
    SystemNote(
        "controlnet",
        "a map of edges, depth or poses that a picture follows; goes with every engine",
        "generate, relook --control MAP --controlnet MODEL",
        "Zhang et al., 2302.05543",
        "for each map the encoder's half of every row",
    ),
    SystemNote(
        "rescaled",
        "classifier-free guidance with the prompted row's spread: high scales do not overexpose",
        "generate, relook --guider rescaled",
        "Lin et al., 2305.08891",
        "as without",
    ),
    SystemNote(
        "interval",
        "classifier-free guidance in the middle of the schedule alone: more varied pictures",
        "generate, relook --guider interval",
        "Kynkäänniemi et al., 2404.07724",
        "0.4 N less",
    ),
    SystemNote(
        "apg",
        "classifier-free guidance without its part along the prediction: high scales do not oversaturate",
        "generate, relook --guider apg",
        "Sadat et al., 2410.02416",
        "as without",
    ),
)
