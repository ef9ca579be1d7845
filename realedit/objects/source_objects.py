"""Objects of other photos: found there by their words, to be set down here or to lend their appearance."""

from dataclasses import dataclass

from torch import Tensor

from inversion.errors import EditError
from realedit.files.photo import Photo
from realedit.geometry.crop import Crop
from realedit.images import resize
from realedit.objects.grounding import prominence, unique_phrases
from realedit.objects.localisation import locate_object
from realedit.objects.located_object import LocatedObject
from realedit.objects.recognition import require_known, require_words
from realedit.objects.segmentation import fine_size
from realedit.sampling.inverted_image import InvertedImage, invert_crop, model_image
from realedit.sampling.session import Session
from realedit.settings import Mode

UNNAMED = "object"  # what is marked and has no name


@dataclass(frozen=True, eq=False)
class SourcePhoto:
    """A photo that an edit takes something from, its prompt, and the object's mask (1, 1, H, W) if the user gave
    one."""

    photo: Photo
    prompt: str
    mask: Tensor | None = None


@dataclass(frozen=True, eq=False)
class SourceObject:
    """An object of another photo, located at that photo's size, and what the model sees in all of that photo, None
    where it does not know the object."""

    photo: Photo
    inverted: InvertedImage | None
    object: LocatedObject

    def colours(self) -> Tensor:
        """The object's colours (n, 3), sRGB."""
        fine = fine_size(self.photo.size)
        return self.photo.small(fine)[0][:, resize(self.object.mask, fine)[0, 0] > 0.5].T


def locate_source_object(session: Session, source: SourcePhoto, phrase: str | None) -> SourceObject:
    """Find the object that a phrase names in another photo; without one, what its prompt names most prominently.

    Raises:
        PhraseError: the phrase is not in that photo's prompt.
        RecognitionError: without a mask, the model does not know that photo or the words.
        EditError: the prompt names no object, or the object is not found, or no model is to look for it.
    """
    if source.mask is not None:
        return SourceObject(source.photo, None, LocatedObject(phrase or UNNAMED, (), source.mask, from_user=True))
    if session.settings.mode is Mode.PIXELS:
        raise EditError(
            "in --mode pixels nothing is found by words; mark what is taken: --from-mask, --from-box or --from-point"
        )
    named = unique_phrases(session.model, source.prompt)
    if phrase is not None:
        session.model.positions(source.prompt, phrase)  # a wrong word is said before anything slow is done
    elif not named:
        raise EditError(f'"{source.prompt}" names no object; say what the other photo shows')
    image = model_image(session.model, source.photo)  # nor is anything done for words that the model does not know
    if phrase is None:
        require_known(session, image, source.prompt)
    else:
        require_words(session, image, source.prompt, [phrase])
    whole = invert_crop(session, source.photo, Crop.whole(source.photo.size), source.prompt)
    if phrase is None:
        phrase = max(named, key=lambda p: prominence(whole.inverted.reference, named[p]))
    located = locate_object(session.model, whole, phrase)
    return SourceObject(source.photo, whole.inverted, located)
