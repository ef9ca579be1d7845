"""The rows of a job list, as its file holds them: names and values, and the line where each stands. No torch."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from inversion.errors import EditError, first_line
from realedit.files.access import native

NUMBERS, POINTS = ("to", "by", "box"), ("point", "not")
"""Columns of coordinates, which CSV writes as "0.7,0.6", and of several points, "0.1,0.2; 0.3,0.4"."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one row says, without what it leaves empty; `fault`: why it cannot be read, if so."""

    line: int
    values: dict[str, Any]
    fault: str | None = None


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file in the format of its name: CSV, JSON Lines or Parquet, of which the line is the row's number.

    Raises:
        EditError: the file cannot be read, or is of another kind.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise EditError(f"{path.name} is no job list; give a .csv, .jsonl or .parquet file, or a folder of photos")
    try:
        yield from reader(path)
    except (OSError, UnicodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else first_line(error)
        raise EditError(f"{path} cannot be read as a job list: {why}") from error


def _text(path: Path, newline: str | None = None) -> TextIO:
    name = native(path)
    with open(name, "rb") as file:
        wide = file.read(2) in (b"\xff\xfe", b"\xfe\xff")
    return open(name, encoding="utf-16" if wide else "utf-8-sig", newline=newline)


def _csv(path: Path) -> Iterator[Row]:
    with _text(path, "") as file:
        head = file.readline()
        file.seek(0)
        marks = max(",;\t", key=head.count)  # as spreadsheets of other countries write it
        reader, line = csv.reader(file, delimiter=marks, strict=True), 1
        names = [name.strip() for name in next(reader, [])]
        if len(set(names)) < len(names):
            raise csv.Error("two columns have one name")
        for cells in reader:
            line, own = reader.line_num, line + 1
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                yield Row(own, {}, f"{len(cells)} cells, where the first line names {len(names)} columns")
                continue
            pairs = {name: cell.strip() for name, cell in zip(names, cells, strict=True) if cell.strip()}
            try:
                yield Row(own, {name: _value(name, cell) for name, cell in pairs.items()})
            except ValueError as error:
                yield Row(own, {}, first_line(error))


def _value(name: str, cell: str) -> Any:
    """A cell of CSV: coordinates as numbers, all else as text."""
    if name not in NUMBERS + POINTS:
        return cell
    try:
        points = [[float(number) for number in point.split(",")] for point in cell.split(";")]
    except ValueError:
        raise ValueError(f'{name}: "{cell}" is not numbers with commas between them') from None
    return points if name in POINTS else points[0]


def _json_lines(path: Path) -> Iterator[Row]:
    with _text(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                values = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield Row(number, {}, f"no JSON: {first_line(error)}")
                continue
            if isinstance(values, dict):
                yield Row(number, {name: value for name, value in values.items() if value is not None})
            else:
                yield Row(number, {}, "a row is an object with names and values, such as {...}")


def _parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow.parquet
        from pyarrow import ArrowException
    except ImportError as error:
        raise EditError('a job list in Parquet needs pyarrow: pip install "realedit[ray]"; or give a .csv') from error
    try:
        batches = pyarrow.parquet.ParquetFile(native(path)).iter_batches(1000)
        number = 0
        for batch in batches:
            for values in batch.to_pylist():
                number += 1
                yield Row(number, {name: value for name, value in values.items() if value is not None})
    except ArrowException as error:
        raise EditError(f"{path} cannot be read as Parquet: {first_line(error)}") from error


READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}
