"""How different two colours look: CIEDE2000, also to readers who do not see red or green.

Colour blindness is simulated as in Machado, Oliveira and Fernandes (2009), severity 1, in linear RGB.
"""

import math
from collections.abc import Callable, Mapping, Sequence

Vector = tuple[float, float, float]
Matrix = Sequence[Vector]

SIGHTS: Mapping[str, Matrix] = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
}
_XYZ: Matrix = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
_WHITE: Vector = (0.95047, 1.0, 1.08883)


def difference(one: str, other: str, sight: Matrix) -> float:
    """The CIEDE2000 distance of two colours such as `#9b6552`, as they are seen."""
    return _ciede2000(_lab(_times(sight, _linear(one))), _lab(_times(sight, _linear(other))))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours by WCAG, from 1 to 21; small text needs 4.5."""
    low, high = sorted(_times(_XYZ, _linear(colour))[1] for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def _linear(colour: str) -> Vector:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _each(lambda c: c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4, (red, green, blue))


def _each(change: Callable[[float], float], values: Vector) -> Vector:
    return (change(values[0]), change(values[1]), change(values[2]))


def _times(matrix: Matrix, vector: Vector) -> Vector:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def _lab(linear: Vector) -> Vector:
    x, y, z = _times(_XYZ, _each(lambda c: min(1.0, max(0.0, c)), linear))
    scaled = (x / _WHITE[0], y / _WHITE[1], z / _WHITE[2])
    fx, fy, fz = _each(lambda t: t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116, scaled)
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _ciede2000(one: Vector, other: Vector) -> float:
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * math.sqrt(mean**7 / (mean**7 + 25**7))
    c1, c2 = math.hypot(a1 * stretch, b1), math.hypot(a2 * stretch, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1 * stretch)) % 360, math.degrees(math.atan2(b2, a2 * stretch)) % 360
    turn = (h2 - h1 + 180) % 360 - 180
    hue = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn) / 2)
    light, chroma, middle = (l1 + l2) / 2, (c1 + c2) / 2, (h1 + turn / 2) % 360
    angles = ((-0.17, 1, 30), (0.24, 2, 0), (0.32, 3, -6), (-0.2, 4, 63))
    weight = 1 + sum(share * math.cos(math.radians(times * middle - less)) for share, times, less in angles)
    by_light = (l2 - l1) / (1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2))
    by_chroma, by_hue = (c2 - c1) / (1 + 0.045 * chroma), hue / (1 + 0.015 * chroma * weight)
    blue = math.sin(math.radians(60 * math.exp(-(((middle - 275) / 25) ** 2))))
    rotation = -2 * math.sqrt(chroma**7 / (chroma**7 + 25**7)) * blue
    return math.sqrt(by_light**2 + by_chroma**2 + by_hue**2 + rotation * by_chroma * by_hue)
