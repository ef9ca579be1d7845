"""Several whole pictures with one command: variations of one photo, and many photos in the look of another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from realedit.commands.batch import for_each
from realedit.commands.context import RunOptions
from realedit.commands.gathering import BatchEntry, gather
from realedit.commands.generation_job import run_whole
from realedit.commands.marks import MarkOptions
from realedit.commands.one_edit import in_fractions, in_unicode
from realedit.commands.output_options import DrawingOptions, EditOptions
from realedit.commands.results import Outputs
from realedit.files.contact_sheet import contact_sheet
from realedit.files.kinds import PIPE
from realedit.files.reading import PhotoFile
from realedit.files.writing import check_outputs, save_sheet
from realedit.generations import Generation, GlobalAppearance
from realedit.jobs.generation_job import GenerationJob, prompt_of_whole
from realedit.jobs.result_names import RESULT_WORDS


@dataclass(frozen=True)
class Series:
    """Where the results of one command are written, numbered where they are several, and then their contact sheet."""

    outputs: tuple[Outputs, ...]
    sheet: Path | None

    @classmethod
    def of(cls, output: Path, count: int, options: DrawingOptions, inputs: tuple[Path, ...]) -> "Series":
        """Of so many results.

        Raises:
            OutputError: one cannot or must not be written.
        """
        names, sheet = [output], None
        if count > 1:
            names = [output.with_name(f"{output.stem}-{k}{output.suffix}") for k in range(1, count + 1)]
            sheet = output.with_name(f"{output.stem}-sheet.png")
        plain = PIPE in inputs
        every = [Outputs(n, sidecar=options.sidecar and not plain and n != PIPE, files=options.files) for n in names]
        sidecars = [path for outputs in every for path in outputs.others]
        pictures = (*names, *([sheet] if sheet else []))
        check_outputs(pictures, sidecars, force=options.files.force, inputs=inputs)
        return cls(tuple(every), sheet)


def vary(
    shared: RunOptions,
    path: Path,
    asked: Callable[[PhotoFile], Generation],
    output: Path,
    options: DrawingOptions,
) -> None:
    """Draw pictures as `asked` of a photo, with seeds from the first one's on."""
    file = PhotoFile.open(path)
    first = asked(file)
    series = Series.of(output, options.variations, options, (path,))
    prompt, photo = prompt_of_whole(shared, first, path, file), file.photo
    wholes = [first.model_copy(update={"seed": first.seed + k}) for k in range(options.variations)]
    draw_each(shared, [(f"seed {each.seed}", GenerationJob(each, prompt, path, photo)) for each in wholes], series)


def draw_each(shared: RunOptions, jobs: Sequence[tuple[str, GenerationJob]], series: Series) -> None:
    """Draw pictures of one photo, each with what it is called on the contact sheet."""
    drawn = []
    for (label, job), outputs in zip(jobs, series.outputs, strict=True):
        picture, _ = run_whole(shared, job, outputs)
        drawn.append((label, picture.rgb))
    photo = jobs[0][1].photo
    if series.sheet is not None and photo is not None:
        save_sheet(contact_sheet([("photo", photo.displayed()), *drawn]), series.sheet)
        shared.say(f"wrote {series.sheet}")


def asked_of_part(shared: RunOptions, asked: dict[str, Any], marks: MarkOptions) -> Callable[[PhotoFile], Generation]:
    """What is `asked`, as a recipe would say it, of a photo where it is marked."""

    def of(file: PhotoFile) -> Generation:
        where = marks.where()
        values = {
            **asked,
            **({"where": where} if where else {}),
            "method": shared.method,
            "steps": shared.steps,
            "seed": shared.seed,
        }
        return TypeAdapter[Generation](Generation).validate_python(in_unicode(in_fractions(values, file.size)))

    return of


def transfer_whole(
    shared: RunOptions, photos: tuple[Path, ...], source: Path, from_prompt: str | None, options: EditOptions
) -> None:
    """Give every photo the look of a whole other one."""
    prompt = from_prompt or replace(shared, prompt=None).prompt_of(source, PhotoFile.open(source)).text
    whole = GlobalAppearance(
        photo=in_unicode(str(source)), prompt=prompt, method=shared.method, steps=shared.steps, seed=shared.seed
    )

    def one(item: BatchEntry, file: PhotoFile, outputs: Outputs) -> None:
        prompt = prompt_of_whole(shared, whole, item.photo, file)
        run_whole(shared, GenerationJob(whole, prompt, item.photo, file.photo), outputs)

    for_each(shared, gather(shared, photos, options), options, RESULT_WORDS["transfer-whole"], one)
