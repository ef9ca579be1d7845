"""Colours that a file tells by numbers in place of a profile: the chunks cICP, sRGB, gAMA and cHRM of a PNG, and the
code points of AVIF and HEIC. A picture in linear light, or one of high dynamic range, is told by them."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from realedit.files.icc import display_profile
from realedit.files.png import Chunk

D65 = (0.3127, 0.3290)
SRGB_PRIMARIES = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
# By the code points of ITU-T H.273, tables 2 and 3: x and y of white, red, green and blue; and the curves.
PRIMARIES = {
    1: SRGB_PRIMARIES,
    5: (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
SRGB_CODE, PQ, HLG = 13, 16, 18
DIFFUSE_WHITE, PQ_PEAK, HLG_PEAK = 203, 10_000, 1_000  # candelas per square metre (ITU-R BT.2408, BT.2100)
SIGNALS = np.linspace(0, 1, 4096)  # of a curve's table
SRGB_GAMMA, GAMMA_SLACK = 0.45455, 0.005  # what writers give as the gAMA of sRGB
LEAST_GAMMA, MOST_GAMMA = 0.05, 5.0  # of a gAMA that can be meant
PRIMARY_SLACK = 0.002  # of a chromaticity that is the same
COLOUR_CHUNKS = (b"cICP", b"mDCV", b"cLLI", b"sRGB", b"gAMA", b"cHRM")


def _srgb(signal: np.ndarray) -> np.ndarray:
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def _bt709(signal: np.ndarray) -> np.ndarray:
    return np.where(signal < 0.081, signal / 4.5, ((signal + 0.099) / 1.099) ** (1 / 0.45))


def _pq(signal: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084, relative to diffuse white."""
    root = signal ** (32 / 2523)
    light = (np.maximum(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root)) ** (16384 / 2610)
    return light * PQ_PEAK / DIFFUSE_WHITE


def _hlg(signal: np.ndarray) -> np.ndarray:
    """Hybrid log-gamma on a display of 1000 candelas, each channel by itself, relative to diffuse white."""
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    return scene**1.2 * HLG_PEAK / DIFFUSE_WHITE


CURVES: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    **dict.fromkeys((1, 6, 14, 15), _bt709),
    4: lambda signal: signal**2.2,
    5: lambda signal: signal**2.8,
    8: lambda signal: signal,
    SRGB_CODE: _srgb,
    PQ: _pq,
    HLG: _hlg,
}


@dataclass(frozen=True, eq=False)
class SignalCoding:
    """How pixels stand for light. `chunks` are those of a PNG that say so; `primaries` are x and y of white, red, green
    and blue; `curve` is the light, 1 for diffuse white, of evenly spaced signals in [0, 1]."""

    chunks: tuple[Chunk, ...]
    primaries: tuple[float, ...] = SRGB_PRIMARIES
    curve: np.ndarray = field(default_factory=lambda: _srgb(SIGNALS))

    @classmethod
    def of_codes(cls, primaries: int, transfer: int, chunks: tuple[Chunk, ...] = ()) -> "SignalCoding":
        """By code points; those that are unknown are taken for sRGB."""
        if primaries not in PRIMARIES or transfer not in CURVES:
            return cls(chunks)
        own = (b"cICP", bytes((primaries, transfer, 0, 1)))
        return cls(chunks or (own,), PRIMARIES[primaries], CURVES[transfer](SIGNALS))

    @classmethod
    def of_png(cls, found: Mapping[bytes, bytes]) -> "SignalCoding | None":
        """By the chunks of a PNG, in the order of what counts first; None: there are none that count."""
        chunks = tuple((kind, found[kind]) for kind in COLOUR_CHUNKS if kind in found)
        code = found.get(b"cICP", b"")
        if len(code) == 4:
            return cls.of_codes(code[0], code[1], chunks)
        if b"iCCP" in found or not chunks:
            return None
        gamma = _numbers(found.get(b"gAMA", b""), 1) or (SRGB_GAMMA,)
        primaries = _numbers(found.get(b"cHRM", b""), 8) or SRGB_PRIMARIES
        if not (LEAST_GAMMA <= gamma[0] <= MOST_GAMMA and _possible(primaries)):
            return None
        if b"sRGB" in found:
            return cls(chunks)
        like_srgb = abs(gamma[0] - SRGB_GAMMA) <= GAMMA_SLACK
        return cls(chunks, primaries, _srgb(SIGNALS) if like_srgb else SIGNALS ** (1 / gamma[0]))

    @property
    def is_srgb(self) -> bool:
        close = np.allclose(self.primaries, SRGB_PRIMARIES, atol=PRIMARY_SLACK)
        return close and np.allclose(self.curve, _srgb(SIGNALS), atol=1e-6)

    @property
    def high_range(self) -> bool:
        """Whether signals stand for more light than diffuse white has."""
        return bool(self.curve[-1] > 1.001)

    @property
    def white(self) -> float:
        """The signal of diffuse white."""
        return float(np.interp(1, self.curve, SIGNALS)) if self.high_range else 1.0

    @cached_property
    def profile(self) -> bytes:
        """An ICC profile of these colours; what is brighter than diffuse white is white."""
        return display_profile(self.primaries, self.curve)

    @cached_property
    def profile_to_white(self) -> bytes:
        """An ICC profile of signals up to that of diffuse white."""
        return display_profile(self.primaries, np.interp(SIGNALS * self.white, SIGNALS, self.curve))


def _numbers(body: bytes, count: int) -> tuple[float, ...] | None:
    """Hundred thousandths, as PNG has them; None: broken or not positive."""
    if len(body) != 4 * count:
        return None
    values = tuple(v / 100_000 for v in struct.unpack(f">{count}I", body))
    return values if all(v > 0 for v in values) else None


def _possible(primaries: tuple[float, ...]) -> bool:
    """Whether three primaries span a triangle with white in sight, and nothing is divided by zero."""
    (red, green, blue) = np.reshape(primaries[2:], (3, 2))
    area = abs(np.linalg.det(np.stack([green - red, blue - red])))
    return area > 0.01 and all(0 < x < 1 and 0.01 < y < 1 for x, y in np.reshape(primaries, (4, 2)))
