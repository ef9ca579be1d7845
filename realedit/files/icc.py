"""ICC profiles (ICC.1:2022) of displays: three primaries, a white and one curve."""

import struct

import numpy as np

D50 = (0.9642, 1.0, 0.8249)  # XYZ of the white that profiles are relative to
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
VERSION_4 = b"\x04\x30\0\0"


def display_profile(primaries: tuple[float, ...], curve: np.ndarray) -> bytes:
    """A profile from the chromaticities (x, y) of white, red, green and blue, and the light in [0, 1] of evenly spaced
    signals in [0, 1]."""
    columns, adaptation = _colorants(primaries)
    steps = (curve.clip(0, 1) * 65535).round().astype(">u2")
    shade = b"curv\0\0\0\0" + struct.pack(">I", len(steps)) + steps.tobytes()
    tags = {
        b"desc": _text("PNG colours"),
        b"cprt": _text("No copyright"),
        b"wtpt": b"XYZ \0\0\0\0" + _fixed(D50),
        b"chad": b"sf32\0\0\0\0" + _fixed(adaptation.ravel()),
        **{name: b"XYZ \0\0\0\0" + _fixed(columns[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), shade),
    }
    return _profile(tags)


def _colorants(primaries: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The XYZ of the primaries as columns, seen under D50, and the matrix that takes white there (Bradford)."""
    white, *corners = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in np.reshape(primaries, (4, 2)))
    matrix = np.stack(corners, 1)
    matrix = matrix * np.linalg.solve(matrix, white)
    gains = (BRADFORD @ D50) / (BRADFORD @ white)
    adaptation = np.linalg.solve(BRADFORD, gains[:, None] * BRADFORD)
    return adaptation @ matrix, adaptation


def _fixed(values: "np.ndarray | tuple[float, ...]") -> bytes:
    return np.round(np.asarray(values) * 65536).astype(">i4").tobytes()


def _text(words: str) -> bytes:
    text = words.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II", 1, 12) + b"enUS" + struct.pack(">II", len(text), 28) + text


def _profile(tags: dict[bytes, bytes]) -> bytes:
    table, body, places = struct.pack(">I", len(tags)), b"", dict[bytes, int]()
    for name, value in tags.items():
        if value not in places:  # equal values are kept once
            places[value] = 132 + 12 * len(tags) + len(body)
            body += value + b"\0" * (-len(value) % 4)
        table += name + struct.pack(">II", places[value], len(value))
    head = struct.pack(">I", 128 + len(table) + len(body)) + b"\0" * 4 + VERSION_4 + b"mntrRGB XYZ "
    head = head.ljust(36, b"\0") + b"acsp" + b"\0" * 28 + _fixed(D50)
    return head.ljust(128, b"\0") + table + body
