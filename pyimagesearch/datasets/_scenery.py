"""Backgrounds for the drawn pets. None of them knows which pet will stand in front."""

import cv2
import numpy as np

from pyimagesearch.datasets._sketch import Sketch, curve, ellipse, mix

FURS = [  # BGR; the scenery takes them too, so that colour alone does not show an animal
    (70, 140, 225), (120, 180, 225), (195, 220, 235), (240, 243, 245), (50, 45, 45),
    (60, 80, 120), (45, 60, 85), (140, 135, 130), (110, 150, 190), (90, 85, 85),
]  # fmt: skip
WALLS = [
    (205, 225, 240), (190, 215, 195), (225, 205, 185), (200, 195, 230), (170, 190, 215),
    (215, 215, 215), (150, 120, 95), (110, 130, 90), (120, 105, 150), (80, 75, 85),
    (130, 200, 235), (180, 160, 90), *FURS,
]  # fmt: skip
SKIES = [(235, 190, 120), (240, 215, 170), (150, 170, 240), (110, 70, 50), (215, 205, 195)]
GROUNDS = [(80, 150, 90), (70, 120, 60), (150, 195, 220), (230, 235, 235), (90, 120, 150)]
TOYS = [
    (70, 70, 210),
    (200, 120, 60),
    (80, 190, 230),
    (110, 170, 80),
    (190, 110, 190),
    (140, 125, 220),
]


def draw_background(width, height, rng):
    """Return a BGR uint8 picture of a random place."""
    scene = rng.choice([_plain, _room, _meadow, _cushions], p=[0.2, 0.35, 0.3, 0.15])
    image = scene(width, height, rng)
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.8, 2.5)) if rng.random() < 0.4 else image


def gradient(top, bottom, width, height):
    """Return a picture that goes from one BGR colour to another, from top to bottom."""
    share = np.linspace(0, 1, height)[:, None, None]
    column = np.asarray(top) * (1 - share) + np.asarray(bottom) * share
    return np.repeat(column.astype(np.uint8), width, axis=1)


def pick(colours, rng, jitter=18):
    """Return one of the colours, changed a little."""
    colour = np.asarray(colours[rng.integers(len(colours))]) + rng.uniform(-jitter, jitter, 3)
    return tuple(float(v) for v in colour.clip(0, 255))


def _pen(image, weight=0.0, ink=(60, 60, 60)):
    """A pen whose unit square is the whole picture."""
    height, width = image.shape[:2]
    return Sketch(image, [[width, 0, 0], [0, height, 0]], ink, weight)


def _plain(width, height, rng):
    """A studio backdrop: two colours, and blotches of the second."""
    first, second = pick(WALLS, rng), pick(WALLS, rng)
    image = gradient(first, mix(first, second, rng.uniform(0.3, 1)), width, height)
    blotches = cv2.resize(
        rng.random((6, 6), np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    strength = rng.uniform(0, 60)
    return cv2.add(
        image, cv2.cvtColor((blotches.clip(0, 1) * strength).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    )


def _room(width, height, rng):
    """A papered wall above a floor, perhaps with a window or a picture, and toys."""
    wall, floor = pick(WALLS, rng), pick(WALLS, rng)
    image = gradient(wall, mix(wall, (0, 0, 0), rng.uniform(0, 0.25)), width, height)
    pen, horizon = _pen(image), rng.uniform(0.55, 0.9)
    paper = mix(wall, pick(WALLS, rng), rng.uniform(0.2, 0.6))
    pattern, step = rng.integers(4), rng.uniform(0.07, 0.16)
    if pattern == 0:  # stripes
        for x in np.arange(0, 1, step):
            pen.fill(_box(x, 0, x + step / 2, 1), paper)
    elif pattern == 1:  # dots
        for row, y in enumerate(np.arange(0, 1, step)):
            for x in np.arange(step / 2 * (row % 2), 1, step):
                pen.fill(ellipse(x, y, step / 6, step / 6), paper)
    elif pattern == 2:  # tiles
        for at in np.arange(0, 1, step * 1.5):
            pen.stroke([(at, 0), (at, 1)], paper, 0.012)
            pen.stroke([(0, at), (1, at)], paper, 0.012)
    if rng.random() < 0.5:
        x, y, w, h = rng.uniform(0, 0.7), rng.uniform(0, 0.25), rng.uniform(0.2, 0.4), 0.35
        pen.fill(_box(x, y, x + w, y + h), pick(GROUNDS, rng))
        pen.fill(_box(x + 0.02, y + 0.02, x + w - 0.02, y + h - 0.02), pick(SKIES, rng))
        if rng.random() < 0.5:
            pen.stroke([(x + w / 2, y), (x + w / 2, y + h)], (235, 235, 235), 0.015)
            pen.stroke([(x, y + h / 2), (x + w, y + h / 2)], (235, 235, 235), 0.015)
    pen.fill(_box(0, horizon, 1, 1), floor)
    pen.fill(_box(0, horizon - 0.03, 1, horizon), mix(floor, (255, 255, 255), 0.5))
    if rng.random() < 0.5:  # floor boards
        for x in np.arange(-1, 2, rng.uniform(0.12, 0.3)):
            pen.stroke([(x, horizon), (0.5 + (x - 0.5) * 2, 1)], mix(floor, (0, 0, 0), 0.3), 0.006)
    _toys(pen, rng, horizon)
    return image


def _meadow(width, height, rng):
    """Sky, clouds, hills or mountains, grass, flowers."""
    sky, ground = pick(SKIES, rng), pick(GROUNDS, rng)
    image = gradient(sky, mix(sky, (255, 255, 255), rng.uniform(0.1, 0.7)), width, height)
    pen, horizon = _pen(image), rng.uniform(0.4, 0.8)
    if rng.random() < 0.5:
        pen.fill(ellipse(*rng.uniform((0, 0), (1, 0.3)), 0.07, 0.07), pick(TOYS[2:3], rng))
    for _ in range(rng.integers(0, 5)):
        x, y, size = rng.uniform((0, 0, 0.04), (1, 0.4, 0.09))
        for dx in (-1.1, 0, 1.1):
            pen.fill(ellipse(x + dx * size, y, size * 1.2, size * 0.7), (250, 250, 250))
    hills, far = rng.integers(2, 9), mix(ground, sky, 0.5)
    heights = horizon - rng.uniform(0, 0.25, hills)
    line = np.stack([np.linspace(-0.1, 1.1, hills), heights], axis=1)
    line = line if rng.random() < 0.4 else curve(line)  # mountains or hills
    pen.fill([*line, (1.1, 1), (-0.1, 1)], far)
    if rng.random() < 0.4:  # fir trees
        for x in rng.uniform(0, 1, rng.integers(2, 8)):
            size = rng.uniform(0.1, 0.3)
            for level in (0, 0.3, 0.6):
                top, half = horizon - size * (1 - level), size * (0.15 + 0.25 * level)
                foot = top + size * 0.45
                pen.fill(
                    [(x, top), (x + half, foot), (x - half, foot)], mix(far, (30, 60, 20), 0.5)
                )
    edge = curve(np.stack([np.linspace(-0.1, 1.1, 5), horizon + rng.uniform(0, 0.06, 5)], axis=1))
    pen.fill([*edge, (1.1, 1), (-0.1, 1)], ground)
    blade = mix(ground, (40, 60, 30) if rng.random() < 0.6 else (250, 250, 250), 0.4)
    low, high = (0, horizon + 0.05, -0.02, 0.02), (1, 1.05, 0.02, 0.07)
    for x, y, lean, size in rng.uniform(low, high, (60, 4)):
        pen.stroke([(x, y), (x + lean, y - size)], blade, 0.004)
    if rng.random() < 0.5:
        colour = pick(TOYS, rng)
        for x, y in rng.uniform((0, horizon + 0.05), (1, 1), (12, 2)):
            pen.fill(ellipse(x, y, 0.014, 0.014), colour)
    _toys(pen, rng, horizon)
    return image


def _cushions(width, height, rng):
    """The back of a sofa with cushions."""
    sofa = pick(WALLS, rng)
    image = gradient(mix(sofa, (255, 255, 255), 0.2), mix(sofa, (0, 0, 0), 0.3), width, height)
    pen = _pen(image, 0.006, mix(sofa, (0, 0, 0), 0.5))
    for x in np.arange(rng.uniform(-0.3, 0), 1, rng.uniform(0.3, 0.5)):
        pen.stroke([(x, 0), (x, 1)], pen.ink, 0.008)
    for _ in range(rng.integers(1, 4)):
        (x, y), half = rng.uniform((0, 0.3), (1, 0.9)), rng.uniform(0.15, 0.3)
        corners = np.array(
            [(-1, -1), (0, -0.85), (1, -1), (0.85, 0), (1, 1), (0, 0.85), (-1, 1), (-0.85, 0)]
        )
        turn = np.deg2rad(rng.uniform(-40, 40))
        spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        pen.fill(curve(corners @ spin * half + (x, y), closed=True), pick(TOYS + WALLS, rng))
    return image


def _toys(pen, rng, horizon):
    for _ in range(rng.integers(0, 3)):
        (x, y), r = rng.uniform((0, horizon + 0.05), (1, 1)), rng.uniform(0.03, 0.08)
        colour = pick(TOYS, rng)
        pen.fill(ellipse(x, y, r, r), colour)
        pen.fill(ellipse(x - r / 3, y - r / 3, r / 4, r / 4), mix(colour, (255, 255, 255), 0.6))


def _box(left, top, right, bottom):
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
