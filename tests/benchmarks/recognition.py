"""How often does the model know a photo and see what words name in it, and is that true?

    python -m tests.benchmarks.recognition DIR [--scenes 200] [--json FILE]

DIR holds real photos, of which the bundled model knows none: `coco/edits.json` and `objmove/edits.json` with what they
list, and pictures anywhere below it, named after what they show. Held-out rendered scenes are what it does know: as
they are, enlarged, compressed, noisy, and cropped around an object. Pictures that it draws itself are asked of too.
"""

import io
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor

from inversion.errors import PhraseError
from inversion.loading import load_model
from inversion.phrases import phrases
from realedit.editing.generation import generate
from realedit.files.photo import Photo
from realedit.geometry.boxes import mask_box
from realedit.images import resize, to_bytes, working_size
from realedit.objects.recognition import MOST_UNFAMILIAR, probe_words, unfamiliarity
from realedit.sampling.session import Session
from realedit.settings import Settings
from samples.renderer import render
from samples.scenes import COLOURS, Scene, sample_scene
from samples.shapes import SHAPES
from tests.benchmarks.cases import SIZES
from tests.benchmarks.fresh import fresh_cache

FIRST_SEED, DRAWN_SEED = 2_000_000, 2_100_000
TABLE_WORDS = "red ball", "yellow whale", "blue can"  # asked of every real photo
FOREIGN_WORDS = "corgi", "yellow whale"  # asked of scenes in turn
VERSIONS = "plain", "768 px", "jpeg", "noisy", "half crop", "close crop"
LARGE, QUALITY, GRAIN = 768, 60, 6 / 255  # pixels of the longer side, of JPEG, standard deviation in every channel
ROOM = {"half crop": 2.5, "close crop": 1.4}  # sides of a crop, in those of the object's box
DRAWN = 12  # pictures that the model draws itself


@dataclass(frozen=True, eq=False)
class Picture:
    """A photo (1, 3, H, W), its kind and name, and what is asked of it: (kind of words, prompt, phrase, mask
    (1, 1, H, W) or None)."""

    kind: str
    name: str
    photo: Tensor
    asked: Sequence[tuple[str, str, str, Tensor | None]]


@dataclass(frozen=True)
class Answer:
    """One phrase asked of one picture: how unfamiliar that is, and whether the words, or they and a mask, are
    accepted."""

    kind: str
    name: str
    words: str
    phrase: str
    unfamiliar: float
    by_words: bool
    by_mask: bool | None


def read(path: Path, mode: str = "RGB") -> Tensor:
    with Image.open(path) as image:
        pixels = torch.frombuffer(bytearray(image.convert(mode).tobytes()), dtype=torch.uint8)
        return pixels.view(1, image.height, image.width, len(mode)).permute(0, 3, 1, 2).float() / 255


def real_photos(folder: Path) -> Iterator[Picture]:
    """The photos of a folder, with their own words and those of tables."""
    listed: dict[Path, tuple[str, str, Path]] = {}
    for name, entry in json.loads((folder / "coco/edits.json").read_text()).items():
        listed[folder / f"coco/{name}.jpg"] = (entry["prompt"], entry["object"], folder / f"coco/{name}-mask.png")
    for name, entry in json.loads((folder / "objmove/edits.json").read_text()).items():
        toy = entry["instruction"].lower().split(" to the ")[0].partition(" the ")[2].removesuffix(" figurine")
        place = folder / "objmove" / name
        listed[place / entry["image"]] = (f"a photo of a {toy}", toy, place / entry["mask"])
    for path in sorted([*folder.glob("appearance/*/*.png"), *folder.glob("single/*.jp*g")]):
        if not path.stem.endswith("_mask"):
            word = path.parent.name if path.parent.parent.name == "appearance" else path.stem.split("_")[0]
            listed[path] = (f"a photo of a {word}", word, path.with_name(f"{path.stem}_mask.png"))
    for path, (prompt, word, masked) in listed.items():
        photo = read(path)
        mask = resize(read(masked, "L"), (photo.shape[-1], photo.shape[-2])) if masked.exists() else None
        own = [("own words", prompt, phrase, mask) for phrase in dict.fromkeys([word, *phrases(prompt)])]
        table = [("table words", f"a photo of a {w} on a wooden table", w, mask) for w in TABLE_WORDS]
        yield Picture("real photo", str(path.relative_to(folder)), photo, [*own, *table])


def scenes(first: int, count: int) -> Iterator[Picture]:
    """Held-out scenes in every version in turn, with the phrase of each object, and words of what is not there
    in place of one."""
    for seed in range(first, first + count):
        size, version = SIZES[seed % len(SIZES)], VERSIONS[seed // len(SIZES) % len(VERSIONS)]
        scene, rng = sample_scene(seed, *size), random.Random(seed)
        drawn = render([scene], size[0] * 2, size[1] * 2)
        masks = {thing.phrase: drawn.masks[:, k : k + 1] for k, thing in enumerate(scene.things)}
        photo, masks = _version(drawn.photos, masks, version, rng)
        asked = [("own words", scene.caption, phrase, (mask > 0.5).float()) for phrase, mask in masks.items()]
        first_phrase = next(iter(masks))
        wrong = [*(("foreign words", w) for w in FOREIGN_WORDS), ("absent words", _absent(scene, rng))]
        kind, words = wrong[seed % len(wrong)]
        asked.append((kind, scene.caption.replace(first_phrase, words), words, asked[0][3]))
        yield Picture(version, f"scene {seed}", photo, asked)


def _version(
    photo: Tensor, masks: dict[str, Tensor], version: str, rng: random.Random
) -> tuple[Tensor, dict[str, Tensor]]:
    """A scene as people have it, and the masks of what is asked of it there."""
    if version == "plain":
        return photo, masks
    factor = LARGE / max(photo.shape[-2:])
    size = round(photo.shape[-1] * factor), round(photo.shape[-2] * factor)
    photo, masks = resize(photo, size), {phrase: resize(mask, size) for phrase, mask in masks.items()}
    if version == "jpeg":
        file = io.BytesIO()
        Image.fromarray(to_bytes(photo)).save(file, "JPEG", quality=QUALITY)
        return read(file), masks  # type: ignore[arg-type]
    if version == "noisy":
        grain = torch.randn(photo.shape, generator=torch.Generator().manual_seed(rng.randrange(2**31)))
        return (photo + GRAIN * grain).clamp(0, 1), masks
    if version in ROOM:
        phrase = rng.choice(list(masks))
        left, top, right, bottom = mask_box((masks[phrase] > 0.5).float())
        x, y, reach = (left + right) / 2, (top + bottom) / 2, ROOM[version] / 2
        across, down = reach * (right - left), reach * (bottom - top)
        rows = slice(int(max(0, y - down) * size[1]), int(min(1, y + down) * size[1]))
        columns = slice(int(max(0, x - across) * size[0]), int(min(1, x + across) * size[0]))
        return photo[..., rows, columns], {phrase: masks[phrase][..., rows, columns]}
    return photo, masks


def _absent(scene: Scene, rng: random.Random) -> str:
    """An object of a kind and colour that the scene does not show."""
    shapes, colours = {t.shape for t in scene.things}, {t.colour for t in scene.things}
    return f"{rng.choice(sorted(set(COLOURS) - colours))} {rng.choice(sorted(set(SHAPES) - shapes))}"


def drawn_by_model(session: Session, count: int) -> Iterator[Picture]:
    """Pictures that the model draws itself from held-out captions."""
    for k in range(count):
        scene = sample_scene(DRAWN_SEED + k)
        picture = generate(session.model, scene.caption, settings=Settings(seed=k))
        asked = [("own words", scene.caption, thing.phrase, None) for thing in scene.things]
        yield Picture("drawn by the model", f"drawing {k}", picture.tensor(), asked)


def answers(session: Session, picture: Picture) -> Iterator[Answer]:
    """What is said of a picture, at the model's size."""
    model = session.model
    photo = Photo(to_bytes(picture.photo))
    size = working_size(photo.size, model.native_size, model.pixel_multiple)
    image = photo.small(size)
    unfamiliar = unfamiliarity(session, image)
    known = unfamiliar <= MOST_UNFAMILIAR
    for words, prompt, phrase, mask in picture.asked:
        try:
            session.model.positions(prompt, phrase)
            probe = probe_words(session, image, prompt, phrase) if known else None
        except PhraseError:  # named twice
            continue
        by_words = probe is not None and probe.sees()
        by_mask = None if mask is None else probe is not None and probe.sees(resize(mask, size))
        yield Answer(picture.kind, picture.name, words, phrase, unfamiliar, by_words, by_mask)


def show(found: Sequence[Answer]) -> Table:
    """The shares of answers by kind of picture and of words."""
    table = Table(
        "picture", "words", "phrases", "photo known", "accepted", "with its mask", "unfamiliar, median (most)"
    )
    for kind, words in dict.fromkeys((a.kind, a.words) for a in found):
        some = [a for a in found if (a.kind, a.words) == (kind, words)]
        masked = [a.by_mask for a in some if a.by_mask is not None]
        levels = sorted(a.unfamiliar for a in some)
        table.add_row(
            kind,
            words,
            str(len(some)),
            f"{sum(level <= MOST_UNFAMILIAR for level in levels)}",
            f"{sum(a.by_words for a in some)}",
            f"{sum(masked)} of {len(masked)}",
            f"{levels[len(levels) // 2]:.2f} ({levels[-1]:.2f})",
        )
    return table


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option("--scenes", "count", default=200, show_default=True)
@click.option("--json", "written", type=click.Path(path_type=Path), help="Write every answer there.")
def main(folder: Path, count: int, written: Path | None) -> None:
    """Ask of real photos, of rendered scenes and of the model's own pictures."""
    torch.set_num_threads(1)
    session = Session(load_model())
    found: list[Answer] = []
    with fresh_cache():
        for pictures in (real_photos(folder), drawn_by_model(session, DRAWN), scenes(FIRST_SEED, count)):
            for picture in pictures:
                found += answers(session, picture)
                if written is not None:
                    written.write_text(json.dumps([asdict(a) for a in found], indent=1))
    Console(width=150).print(show(found))


if __name__ == "__main__":
    main()
