"""How often objects have which pattern and which material."""

from dataclasses import dataclass

PATTERNS = ("plain", "striped", "spotted", "checked")
MATERIALS = ("matte", "shiny", "metal")


@dataclass(frozen=True)
class Looks:
    """Weights of the `patterns`, and of the materials of `plain` and of `patterned` objects, in the order above."""

    patterns: tuple[int, int, int, int]
    plain: tuple[int, int, int]
    patterned: tuple[int, int, int]


COMMON = Looks(patterns=(6, 2, 1, 1), plain=(6, 2, 1), patterned=(6, 2, 0))
EVEN = Looks(patterns=(3, 2, 2, 2), plain=(2, 2, 3), patterned=(1, 1, 0))  # so that rare ones are learnt too
