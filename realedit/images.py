"""Files and tensors: the one place where photos are read and written.

A photo in memory is upright 8-bit RGB (what the user sees), with its transparency, colour profile
and camera data beside it, so that a result can be written as the file came in.
"""

import os
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps, PngImagePlugin
from torch import Tensor
from torch.nn import functional as F

from inversion.errors import OutputError, PhotoError
from realedit.settings import MIN_SIDE

_ORIENTATION, _DESCRIPTION = 0x0112, 0x010E


@dataclass(frozen=True, eq=False)
class Photo:
    """`rgb` (H, W, 3) uint8, upright; `alpha` (H, W) uint8 or None; `notes` say what reading lost."""

    rgb: np.ndarray
    alpha: np.ndarray | None = None
    exif: bytes = b""
    profile: bytes | None = None
    description: str | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def tensor(self) -> Tensor:
        """(1, 3, H, W) in [0, 1]."""
        return torch.from_numpy(self.rgb.copy()).permute(2, 0, 1)[None].float() / 255

    def with_rgb(self, rgb: np.ndarray) -> "Photo":
        return replace(self, rgb=rgb)


def load_photo(path: Path) -> Photo:
    """Read one still picture of any common format.

    Raises:
        PhotoError: it is missing, a folder, damaged, animated, or smaller than 64 pixels.
    """
    if path.is_dir():
        raise PhotoError(f"{path} is a folder; give one photo")
    if not path.exists():
        raise PhotoError(f"{path} does not exist")
    try:
        with Image.open(path) as image:
            frames = getattr(image, "n_frames", 1)
            if frames > 1:
                raise PhotoError(f"{path} holds {frames} frames; export one of them as a still picture")
            image.load()
            upright, exif = _upright(image)
            photo = _read(upright, exif, image)
    except PhotoError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        reason = "it is empty" if path.stat().st_size == 0 else str(error).splitlines()[0]
        raise PhotoError(f"{path} cannot be read as a photo: {reason}") from error
    if min(photo.size) < MIN_SIDE:
        raise PhotoError(f"{path} is {photo.size[0]}x{photo.size[1]} pixels; both sides must be at least {MIN_SIDE}")
    return photo


def _upright(image: Image.Image) -> tuple[Image.Image, bytes]:
    """The picture as it is meant to be seen, and its camera data without the rotation and thumbnail."""
    try:
        upright = ImageOps.exif_transpose(image)
        exif = upright.getexif()
        exif.pop(_ORIENTATION, None)
        return upright, exif.tobytes() if len(exif) else b""
    except Exception:  # broken camera data must not cost the user the photo; any error can come of it
        return image, b""


def _read(image: Image.Image, exif: bytes, source: Image.Image) -> Photo:
    notes = []
    profile = source.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):
        notes.append("the result has 8 bits per channel, the photo had more")
        values = np.asarray(image).astype(np.float64)
        peak = 65535 if values.max() > 255 else 255
        image = Image.fromarray((values / peak * 255).clip(0, 255).round().astype(np.uint8))
    if image.mode == "CMYK":
        notes.append("the photo was CMYK, the result is RGB")
        image, profile = _from_cmyk(image, profile), None
    alpha = None
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        alpha = np.asarray(rgba.getchannel("A")).copy()
        image = rgba
    return Photo(np.asarray(image.convert("RGB")).copy(), alpha, exif, profile, _description(source), tuple(notes))


def _from_cmyk(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            import io

            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # an unusable profile leaves the plain conversion
    return image.convert("RGB")


def _description(image: Image.Image) -> str | None:
    text = image.info.get("Description") or image.getexif().get(_DESCRIPTION)
    return text.strip() if isinstance(text, str) and text.strip() else None


def load_mask(path: Path, size: tuple[int, int]) -> Tensor:
    """A mask file as (1, 1, H, W), 1 where it is brighter than half, at the photo's size."""
    mask = torch.from_numpy(load_photo(path).rgb.copy()).float().mean(-1)[None, None] / 255
    if mask.shape[-2:] != (size[1], size[0]):
        mask = resize(mask, size)
    mask = (mask > 0.5).float()
    if not mask.any() or mask.all():
        raise PhotoError(
            f"the mask {path} is {'all' if mask.any() else 'nowhere'} white; paint the object white on black"
        )
    return mask


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, C, H, W) to `size` (width, height), antialiased; the same tensor if it has that size."""
    if image.shape[-2:] == (size[1], size[0]):
        return image
    return F.interpolate(image, size=(size[1], size[0]), mode="bicubic", antialias=True, align_corners=False).clamp(
        0, 1
    )


def working_size(size: tuple[int, int], native: int, multiple: int) -> tuple[int, int]:
    """The (width, height) at which a model with this native size sees a photo: the same aspect and
    about the native area, sides in whole multiples."""
    factor = native / (size[0] * size[1]) ** 0.5
    width, height = (max(multiple, round(side * factor / multiple) * multiple) for side in size)
    return width, height


def to_bytes(image: Tensor) -> np.ndarray:
    """(1, 3, H, W) in [0, 1] to (H, W, 3) uint8."""
    return (image[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()


def check_output(path: Path, *, force: bool, inputs: tuple[Path, ...] = ()) -> None:
    """Refuse, before any work is done, an output that cannot or must not be written.

    Raises:
        OutputError: the folder is missing or read-only, the format unknown, the file exists, or
            it is one of the inputs.
    """
    if path.suffix.lower() not in Image.registered_extensions():
        raise OutputError(f'cannot write "{path.name}": end the name in .png, .jpg, .webp or .tif')
    check_new(path, force=force, inputs=inputs)


def check_new(path: Path, *, force: bool, inputs: tuple[Path, ...] = ()) -> None:
    """The same for a file that need not be a picture."""
    if any(path.exists() and p.exists() and path.samefile(p) for p in inputs):
        raise OutputError(f"{path} is the input; give another name with -o")
    if path.exists() and not force:
        raise OutputError(f"{path} already exists; use --force to replace it")
    check_folder(path.parent)


def check_folder(folder: Path) -> None:
    """Raises `OutputError` unless files can be written in `folder`."""
    if not folder.is_dir():
        raise OutputError(f"the folder {folder} does not exist; make it first")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"cannot write in {folder}: {error.strerror}") from error


def save_photo(photo: Photo, path: Path) -> None:
    """Write a photo with its transparency, profile and camera data; whole or not at all."""
    image = Image.fromarray(photo.rgb)
    kind = Image.registered_extensions()[path.suffix.lower()]
    if photo.alpha is not None and kind != "JPEG":
        image.putalpha(Image.fromarray(photo.alpha))
    options: dict[str, object] = {"exif": photo.exif} if photo.exif else {}
    if photo.profile:
        options["icc_profile"] = photo.profile
    if kind == "JPEG":
        options |= {"quality": 95, "subsampling": 0}
    if kind == "WEBP":
        options["lossless"] = True
    if kind == "PNG" and photo.description:
        info = PngImagePlugin.PngInfo()
        info.add_text("Description", photo.description)
        options["pnginfo"] = info
    write_whole(path, lambda file: image.save(file, format=kind, **options))


def write_whole(path: Path, write) -> None:  # type: ignore[no-untyped-def]
    """Call `write(file)` on a temporary file beside `path`, then give it that name.

    Raises:
        OutputError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    part = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            part = file.name
            write(file)
        os.chmod(part, 0o666 & ~_umask())
        os.replace(part, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if part is not None:
            Path(part).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
