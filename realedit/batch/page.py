"""A page to look through the results of a batch: before and after side by side, worst first, in one HTML file."""

import base64
import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image

from inversion.errors import EditError, RealEditError
from realedit.batch.manifest import DONE, FAILED, RUN, manifest_path, rows_of
from realedit.batch.storage import is_url
from realedit.evaluation.verdict import Level
from realedit.files.reading import load_photo

THUMBNAIL, THUMBNAIL_QUALITY = 320, 80  # pixels of the longer side, and of JPEG
HEAD = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 24px; color: #202124; }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(430px, 1fr)); gap: 16px; }}
figure {{ margin: 0; padding: 8px; border: 1px solid #dadce0; border-radius: 4px; }}
figure div {{ display: flex; gap: 4px; }} figure a {{ flex: 1; }} img {{ width: 100%; display: block; }}
figcaption {{ margin-top: 6px; overflow-wrap: anywhere; }} b.look {{ color: #b06000; }} b.failed {{ color: #b3261e; }}
small {{ color: #5f6368; }}</style>
<h1>{title}</h1><p>{counts}</p>
"""


@dataclass(frozen=True)
class Result:
    """The last attempt at a job, as the manifest has it."""

    row: dict[str, Any]

    @property
    def worst(self) -> tuple[int, float, int, float]:
        """The larger the worse: the verdict, how far the rest of the photo changed, the number of reasons for the
        verdict, and how much was touched."""
        outside, verdict = (
            self.row.get("outside", {}),
            self.row.get("verdict", {"level": Level.GOOD.value, "reasons": []}),
        )
        level = [each.value for each in Level].index(verdict["level"])
        return level, outside.get("perceptual") or 0.0, len(verdict["reasons"]), self.row.get("touched", 0.0)


def results_of(folder: Path) -> tuple[list[Result], list[Result], Path]:
    """The results that are done, worst first, those that failed, and the folder in which photos lie.

    Raises:
        EditError: there is no manifest.
    """
    if not manifest_path(folder).is_file():
        raise EditError(f"{folder} holds no {manifest_path(folder).name}; give the --out-dir of a batch")
    last: dict[str, Result] = {}
    photos = folder
    for row in rows_of(folder):
        if row["state"] == RUN:
            photos = folder / row.get("folder", ".")
        elif row["state"] in (DONE, FAILED):
            last[row["id"]] = Result(row)
    done = sorted((r for r in last.values() if r.row["state"] == DONE), key=lambda r: r.worst, reverse=True)
    return done, [r for r in last.values() if r.row["state"] == FAILED], photos


def page(folder: Path, to: Path, most: int) -> bytes:
    """The page, to be kept at `to`, of the `most` worst results of a folder."""
    done, failed, photos = results_of(folder)
    shown = done[:most]
    counts = f"{len(done)} done, {len(failed)} failed; the {len(shown)} worst are shown, worst first."
    parts = [HEAD.format(title=escape(f"Batch {folder.name}"), counts=counts)]
    if failed:
        lines = (f"<li>{escape(r.row['id'])}: {escape(r.row.get('error', ''))}" for r in failed[:most])
        parts.append(f"<details><summary>What failed</summary><ul>{''.join(lines)}</ul></details>")
    with ThreadPoolExecutor() as pool:
        figures = pool.map(lambda result: _figure(result, photos, folder, to.parent), shown)
        parts += ["<main>", *figures, "</main>"]
    return "\n".join(parts).encode()


def _figure(result: Result, photos: Path, folder: Path, seen_from: Path) -> str:
    row = result.row
    pictures = "".join(_picture(where, seen_from) for where in ((photos, row["photo"]), (folder, row["output"])))
    return f"<figure><div>{pictures}</div><figcaption>{' '.join(_said(row))}</figcaption></figure>"


def _picture(where: tuple[Path, str], seen_from: Path) -> str:
    """A picture small, which leads to its file; in words, if it cannot be shown."""
    folder, name = where
    if is_url(name):
        return f"<span>{escape(name)}</span>"
    try:
        image = Image.fromarray(load_photo(folder / name).displayed(THUMBNAIL))
    except (RealEditError, OSError) as error:
        return f"<span>{escape(str(error))}</span>"
    data = io.BytesIO()
    image.save(data, "JPEG", quality=THUMBNAIL_QUALITY)
    way = quote(os.path.relpath(folder / name, seen_from).replace(os.sep, "/"))
    source = f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"
    size = f'width="{image.width}" height="{image.height}"'
    return f'<a href="{way}"><img loading="lazy" {size} alt="{escape(name)}" src="{source}"></a>'


def _said(row: dict[str, Any]) -> Iterator[str]:
    """What a result is called, and its numbers."""
    yield f"<strong>{escape(row['id'])}</strong>"
    if "verdict" in row:
        level = row["verdict"]["level"]
        yield f'<b class="{escape(level.split()[0])}">{escape(level)}</b>'
        yield escape("; ".join(row["verdict"]["reasons"]))
    outside = row.get("outside", {})
    rest = "identical" if outside.get("identical") else f"{outside.get('perceptual_name')} {outside.get('perceptual')}"
    touched, seconds = row.get("touched", 0), row["seconds"]
    yield f"<br><small>rest of the photo {escape(str(rest))}; touched {touched:.1%}; {seconds:.1f} s</small>"
