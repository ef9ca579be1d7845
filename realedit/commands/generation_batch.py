"""Several whole pictures with one command: variations of one photo, and many photos in the look of another."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from realedit.commands.batch import for_each
from realedit.commands.context import RunOptions
from realedit.commands.gathering import BatchEntry, gather
from realedit.commands.generation_job import GenerationJob, run_whole
from realedit.commands.marks import MarkOptions
from realedit.commands.one_edit import in_fractions, in_unicode
from realedit.commands.output_options import DrawingOptions, EditOptions
from realedit.commands.results import Outputs
from realedit.files.contact_sheet import contact_sheet
from realedit.files.kinds import PIPE
from realedit.files.reading import PhotoFile
from realedit.files.writing import check_outputs, save_sheet
from realedit.generations import Generation, GlobalAppearance


def vary(
    shared: RunOptions,
    path: Path,
    asked: Callable[[PhotoFile], Generation],
    output: Path,
    options: DrawingOptions,
    assumed: str | None = None,
) -> None:
    """Draw pictures as `asked` of a photo, with seeds from the first one's on; several get numbers and a contact
    sheet. `assumed`: the prompt where there is none."""
    count, file, names = options.variations, PhotoFile.open(path), [output]
    first = asked(file)
    if count > 1:
        names = [output.with_name(f"{output.stem}-{k}{output.suffix}") for k in range(1, count + 1)]
    every = [Outputs(n, sidecar=options.sidecar and PIPE not in (path, n), files=options.files) for n in names]
    sheet = output.with_name(f"{output.stem}-sheet.png")
    pictures = (*names, *([sheet] if count > 1 else []))
    sidecars = [path for outputs in every for path in outputs.others]
    check_outputs(pictures, sidecars, force=options.files.force, inputs=(path,))
    prompt, photo = shared.prompt_of(path, file, assumed=assumed), file.photo
    drawn = [("photo", photo.displayed())]
    for k, outputs in enumerate(every):
        whole = first.model_copy(update={"seed": first.seed + k})
        picture, _ = run_whole(shared, GenerationJob(whole, prompt, path, photo), outputs)
        drawn.append((f"seed {whole.seed}", picture.rgb))
    if count > 1:
        save_sheet(contact_sheet(drawn), sheet)
        shared.say(f"wrote {sheet}")


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
        run_whole(shared, GenerationJob(whole, shared.prompt_of(item.photo, file), item.photo, file.photo), outputs)

    for_each(shared, gather(shared, photos, options), options, "transferred", one)
