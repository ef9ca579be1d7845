"""The command that draws a whole picture again, as it is typed in a shell. No torch."""

import shlex

from realedit.engines import PromptToPrompt, RePaint, SDEdit
from realedit.files.recipe_files import controls
from realedit.generations import (
    Filling,
    Generation,
    GlobalAppearance,
    Redrawing,
    SameAppearance,
    SameLayout,
    TextToImage,
)
from realedit.jobs.command_line import model_words
from realedit.jobs.model_run import ModelRun
from realedit.jobs.option_words import changed, marks, options, typed
from realedit.settings import DEFAULTS, Guider

RUN_DEFAULTS = {"method": DEFAULTS.method, "steps": DEFAULTS.steps, "seed": DEFAULTS.seed}
ENGINE_DEFAULTS = {"strength": SDEdit().strength, "repeats": SDEdit().repeats}
REPAINT_DEFAULTS = {"jump": RePaint().jump, "repeats": RePaint().repeats}
SENTENCE_FILES = ("old.txt", "new.txt")
"""What files with sentences are called: of what it is, and of what it becomes."""


def generation_command_line(run: ModelRun, whole: Generation, photo: str | None) -> str:
    """The line that draws a picture from the file `photo`, None: from words, under the prompt that the run says.
    Sentences of a direction lie in `SENTENCE_FILES`."""
    words = ["realedit", *_command(whole, photo), *options([("prompt", run.prompt)]), *changed(whole, RUN_DEFAULTS)]
    guided = [] if whole.guider is Guider.PLAIN else ["--guider", whole.guider.value]
    for each in controls(whole):
        guided += options([("control", each.picture), ("controlnet", each.model)])
    if any(each.scale != 1 for each in controls(whole)):
        guided += options(("control-scale", each.scale) for each in controls(whole))
    return shlex.join([*words, *guided, *model_words(run.which)])


def sentence_files(whole: Generation) -> dict[str, str]:
    """The texts of the files with sentences that the line names, by their names."""
    bank = getattr(getattr(whole, "engine", None), "bank", None)
    return {} if bank is None else dict(zip(SENTENCE_FILES, ("\n".join(bank.old), "\n".join(bank.new)), strict=True))


def _command(whole: Generation, photo: str | None) -> list[str]:
    """The command, its photo, and what is its own."""
    match whole:
        case TextToImage():
            return ["generate", *options([("size", whole.size)])]
        case SameLayout():
            return ["relook", *_named(photo), *options([("as", whole.words)])]
        case SameAppearance():
            return ["relayout", *_named(photo)]
        case GlobalAppearance():
            return ["transfer", *_named(photo), "--whole", "--from", whole.photo, "--from-prompt", whole.prompt]
        case Redrawing():
            marked = marks(whole.where) if whole.where else []
            return ["relook", *_named(photo), *options([("as", whole.words)]), *_engine(whole), *marked]
        case Filling():
            how = [] if whole.fill == "auto" else ["--fill", whole.fill]
            said = options([("as", whole.words)])
            return ["fill", *_named(photo), *said, *how, *changed(whole.repaint, REPAINT_DEFAULTS), *marks(whole.where)]


def _named(photo: str | None) -> list[str]:
    return [] if photo is None else [photo]


def _engine(whole: Redrawing) -> list[str]:
    engine, words = whole.engine, ["--engine", whole.engine.kind]
    if isinstance(engine, SDEdit):
        words += changed(engine, ENGINE_DEFAULTS)
    if isinstance(engine, PromptToPrompt):
        words += options(("weight", f"{phrase}={typed(weight)}") for phrase, weight in engine.weights.items())
        words += options([("only", engine.blend)])
    if sentence_files(whole):
        words += options(zip(("from-sentences", "to-sentences"), SENTENCE_FILES, strict=True))
    return words
