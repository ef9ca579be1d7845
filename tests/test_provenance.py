"""Content credentials, signed offline with a key made here."""

import datetime
import io
import json
from pathlib import Path

import pytest

c2pa = pytest.importorskip("c2pa")

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: E402

from inversion.errors import OutputError  # noqa: E402
from realedit.files.encoding import encode  # noqa: E402
from realedit.files.photo import Photo  # noqa: E402
from realedit.files.provenance import TYPES, Parent, Signer  # noqa: E402
from realedit.files.reading import decode  # noqa: E402
from realedit.files.xmp import DigitalSourceType  # noqa: E402
from tests.test_reading import smooth  # noqa: E402


def name(text: str) -> x509.Name:
    names = x509.NameOID
    return x509.Name([x509.NameAttribute(names.COMMON_NAME, text), x509.NameAttribute(names.ORGANIZATION_NAME, "Test")])


def pem(key) -> bytes:
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, none)


def certificate(subject: str, public, issuer: str, issuer_key, *, authority: bool) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    unused = "key_encipherment data_encipherment key_agreement crl_sign encipher_only decipher_only"
    usage = dict.fromkeys([*unused.split(), "content_commitment"], False)
    built = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not authority:
        purpose = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
        built = built.add_extension(purpose, critical=False)
    return built.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module", params=["P-256", "Ed25519"])
def signer(request) -> Signer:
    return signer_of(request.param)


def signer_of(kind: str) -> Signer:
    """A new key of this kind, and a chain of certificates for it."""
    root = ec.generate_private_key(ec.SECP256R1())
    own = ec.generate_private_key(ec.SECP256R1()) if kind == "P-256" else ed25519.Ed25519PrivateKey.generate()
    chain = certificate("Photographer", own.public_key(), "Root", root, authority=False)
    return Signer(chain + certificate("Root", root.public_key(), "Root", root, authority=True), pem(own))


def manifest(data: bytes, kind: str) -> tuple[dict, list[str]]:
    read = json.loads(c2pa.Reader(TYPES[kind], io.BytesIO(data)).json())
    problems = [p["code"] for p in read.get("validation_status", []) if p["code"] != "signingCredential.untrusted"]
    return read["manifests"][read["active_manifest"]], problems


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_an_edit_names_its_original(signer, kind):
    original, result = encode(Photo(smooth()), "JPEG"), Photo(255 - smooth())
    plain = encode(result, kind)
    signed = signer.sign(plain, kind, DigitalSourceType.EDITED, Parent(original, "JPEG"))
    found, problems = manifest(signed, kind)
    assert problems == []
    assert [(i["title"], i["relationship"]) for i in found["ingredients"]] == [("the original photo", "parentOf")]
    (actions,) = [a["data"]["actions"] for a in found["assertions"] if a["label"].startswith("c2pa.actions")]
    assert [a["action"] for a in actions] == ["c2pa.opened", "c2pa.edited"]
    assert actions[1]["digitalSourceType"] == DigitalSourceType.EDITED.address
    assert "thumbnail" not in json.dumps(found)  # it would show what was removed
    assert (decode(signed, "a").rgb == decode(plain, "b").rgb).all()
    assert "content credentials" in decode(signed, "a").notes[0]


def test_a_changed_byte_is_noticed(signer):
    signed = bytearray(signer.sign(encode(Photo(smooth()), "PNG"), "PNG", DigitalSourceType.GENERATED, None))
    place = signed.rindex(b"IDAT") + 40
    signed[place] ^= 1
    assert manifest(bytes(signed), "PNG")[1] != []


def test_a_drawn_picture_has_no_original(signer):
    found, problems = manifest(
        signer.sign(encode(Photo(smooth()), "PNG"), "PNG", DigitalSourceType.GENERATED, None), "PNG"
    )
    assert problems == []
    assert not found.get("ingredients")
    assert found["assertions"][0]["data"]["actions"][0]["action"] == "c2pa.created"


def test_keys_that_are_no_use_are_said(signer, tmp_path: Path):
    data = encode(Photo(smooth()), "PNG")
    with pytest.raises(OutputError, match="no private key"):
        Signer(signer.certificates, b"nonsense").sign(data, "PNG", DigitalSourceType.EDITED, None)
    with pytest.raises(OutputError, match="cannot be signed"):
        Signer(b"nonsense", signer.key).sign(data, "PNG", DigitalSourceType.EDITED, None)
    with pytest.raises(OutputError, match="cannot hold content credentials"):
        signer.sign(data, "BMP", DigitalSourceType.EDITED, None)
    with pytest.raises(OutputError, match="cannot read"):
        Signer.read(tmp_path / "none.pem", tmp_path / "none.key")
