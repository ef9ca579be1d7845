"""Content credentials (C2PA): a signed statement in the file of who changed which photo, and that a model
did. With a key of the user's own, without any network."""

import io
import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from inversion.errors import OutputError
from realedit.files.access import LARGEST_TEXT_FILE, read_at_most
from realedit.files.xmp import DigitalSourceType

TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "TIFF": "image/tiff",
    "HEIF": "image/heic",
}
# No thumbnails: the original's would show what the edit removed.
SETTINGS = {"builder": {"thumbnail": {"enabled": False}}}
CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Parent:
    """The file of the photo that was edited: its bytes and its format."""

    data: bytes
    kind: str


@dataclass(frozen=True)
class Signer:
    """A certificate chain, the signer's own first, and its private key, both PEM."""

    certificates: bytes
    key: bytes

    @classmethod
    def read(cls, certificates: Path, key: Path) -> "Signer":
        """Raises `OutputError` if a file cannot be read or the package for signing is missing."""
        _needed("c2pa")
        try:
            return cls(_pem(certificates), _pem(key))
        except OSError as error:
            raise OutputError(f"cannot read {error.filename or key} for signing: {error.strerror}") from error

    def sign(self, data: bytes, kind: str, source: DigitalSourceType, parent: Parent | None) -> bytes:
        """A file's bytes with content credentials: edited from `parent`, or created where there is none.

        Raises:
            OutputError: this format cannot hold them, or key and certificates do not fit.
        """
        c2pa = _needed("c2pa")
        if kind not in TYPES:
            raise OutputError(f"{kind} files cannot hold content credentials; write .jpg, .png, .webp, .avif or .tif")
        action = {"action": "c2pa.edited" if parent else "c2pa.created", "digitalSourceType": source.address}
        manifest = {
            "claim_generator_info": [{"name": "realedit"}],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
        }
        info = c2pa.C2paSignerInfo(self._algorithm().encode(), self.certificates, self.key, None)
        signed = io.BytesIO()
        try:
            context = c2pa.Context(c2pa.Settings.from_dict(SETTINGS))
            builder = c2pa.Builder(json.dumps(manifest), context=context)
            if parent is not None:
                builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
                about = {"title": "the original photo", "relationship": "parentOf"}
                builder.add_ingredient(json.dumps(about), TYPES[parent.kind], io.BytesIO(parent.data))
            builder.sign(c2pa.Signer.from_info(info), TYPES[kind], io.BytesIO(data), signed)
        except c2pa.C2paError as error:
            raise OutputError(f"the result cannot be signed: {str(error).splitlines()[0]}") from error
        return signed.getvalue()

    def _algorithm(self) -> str:
        """C2PA's name of the key's algorithm."""
        serialization = _needed("cryptography.hazmat.primitives.serialization")
        try:
            key = serialization.load_pem_private_key(self.key, None)
        except (ValueError, TypeError) as error:
            raise OutputError("the signing key is no private key in PEM without a password") from error
        curve = getattr(getattr(key, "curve", None), "name", None)
        if curve is None:
            return "ed25519" if "Ed25519" in type(key).__name__ else "ps256"
        if curve not in CURVES:
            raise OutputError(f"a signing key on the curve {curve} cannot be used; use P-256, Ed25519 or RSA")
        return CURVES[curve]


def _pem(path: Path) -> bytes:
    """Of a file, or of a pipe: a key may come straight from where it is kept."""
    with path.open("rb") as file:
        return read_at_most(file, LARGEST_TEXT_FILE)


def _needed(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise OutputError('signing needs another package: pip install "realedit[provenance]"') from error
