"""Values as options of a command are typed. No torch."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from realedit.geometry.region import Region

Named = Iterable[tuple[str, Any]]


def options(named: Named) -> list[str]:
    """The words of options that have a value; a tuple is one value of several parts."""
    return [word for name, value in named if value is not None for word in _option(name, value)]


def changed(values: Any, defaults: Mapping[str, object]) -> list[str]:
    """The options of those fields whose values are not what they are where nothing is said."""
    given = ((name, getattr(values, name)) for name, default in defaults.items() if getattr(values, name) != default)
    return [word for name, value in given for word in ([f"--{name}"] if value is True else _option(name, value))]


def marks(region: Region, prefix: str = "") -> list[str]:
    """The options that mark where an object is."""
    named = [("mask", region.mask), ("box", region.box), *(("point", point) for point in region.points)]
    named += [*(("not", point) for point in region.excluded), ("around", region.around)]
    return options((prefix + name, value) for name, value in [*named, ("segmenter", region.segmenter)])


def typed(value: Any) -> str:
    """A number as short as it is read back the same; other values as they are."""
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _option(name: str, value: Any) -> Iterator[str]:
    yield f"--{name}"
    yield ",".join(typed(part) for part in value) if isinstance(value, tuple | list) else typed(value)
