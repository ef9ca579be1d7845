"""Where an object is, as a person marks it: what recipes and sidecars hold of that. No torch."""

from collections.abc import Collection, Iterable

from pydantic import BaseModel, ConfigDict, Field

from inversion.errors import EditError
from realedit.geometry.transform import Box, Point


class Region(BaseModel):
    """Where an object is, instead of where its words attend: a mask, or any of the others together."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    mask: str | None = Field(None, description="A picture that is white where the object is")
    box: Box | None = Field(None, description="Around the object: left, top, right, bottom")
    point: Point | tuple[Point, ...] | None = Field(None, description="A point on the object, or several")
    excluded: tuple[Point, ...] = Field((), alias="not", description="Points beside the object")
    around: str | None = Field(None, description="A rough scribble over the object: a picture, white on black")
    segmenter: str | None = Field(None, description="The SAM that is asked what is marked: folder or hub id")

    @property
    def points(self) -> tuple[Point, ...]:
        """All points on the object."""
        point: tuple = self.point or ()
        return (point,) if point and not isinstance(point[0], tuple) else point


def check_marked(phrases: Iterable[str], marked: Collection[str]) -> None:
    """Raises `EditError` unless every object is marked: where no model is asked, none is found by words."""
    for phrase in phrases:
        if phrase not in marked:
            raise EditError(
                f'in --mode pixels nothing is found by words; mark "{phrase}" with --mask, --box or --point'
            )
