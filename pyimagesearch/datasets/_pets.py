"""The drawn cats and dogs. Both take fur, eyes, noses and collars from the same palettes.

Lengths are in head radii: the head's centre is the origin, x points right and y down, and the
face reaches from about -1 to 1. `Pose.at` moves a feature the more, the further it stands out.
"""

from dataclasses import dataclass

import numpy as np

from pyimagesearch.datasets._scenery import FURS, TOYS, pick
from pyimagesearch.datasets._sketch import curve, ellipse, mirrored, mix, rotated

EYES = [(90, 190, 120), (60, 170, 225), (210, 170, 90), (50, 90, 150), (110, 200, 200)]
NOSES = [(35, 30, 30), (50, 55, 80), (150, 140, 215), (60, 60, 60)]
FLESH = [(160, 150, 225), (125, 110, 225), (140, 125, 200)]  # inside of ears, tongues
WHITE, BLACK = (250, 250, 250), (25, 22, 22)


@dataclass
class Coat:
    """The colours of an animal, and what its fur shows."""

    fur: tuple
    second: tuple  # patches, stripes and ears
    light: tuple  # muzzle, chest and paws
    eye: tuple
    nose: tuple
    flesh: tuple
    ink: tuple
    pattern: str  # "plain", "stripes", "patch", "spots"

    @staticmethod
    def choose(rng):
        fur = pick(FURS, rng)
        dark = sum(fur) < 260
        lighter = dark or rng.random() < 0.4
        shade = mix(fur, WHITE if lighter else BLACK, rng.uniform(0.25, 0.5))
        second = shade if rng.random() < 0.6 else pick(FURS, rng)
        light = mix(fur, WHITE, rng.uniform(0.35, 0.9) if rng.random() < 0.7 else 0.15)
        return Coat(
            fur, second, light, pick(EYES, rng), pick(NOSES, rng, 8), pick(FLESH, rng),
            mix(fur, WHITE, 0.28) if sum(fur) < 180 else mix(fur, BLACK, rng.uniform(0.55, 0.85)),
            str(rng.choice(["plain", "stripes", "patch", "spots"])),
        )  # fmt: skip


@dataclass
class Pose:
    """Where the animal looks: yaw to the right and pitch down, in head radii per unit of depth."""

    yaw: float
    pitch: float

    def at(self, x, y, depth):
        return np.array((x + self.yaw * depth, y + self.pitch * depth))

    def move(self, points, depth):
        return np.asarray(points, np.float64) + self.at(0, 0, depth)


def draw_cat_head(pen, coat, pose, rng):
    """Pointed ears, a round face, slit pupils, a small nose and whiskers."""
    tip, pinkness = rng.uniform((0.68, -1.6), (0.95, -1.3)), rng.uniform(0.4, 1)
    for side in (-1, 1):
        end = tip + rng.uniform(-0.05, 0.05, 2)
        inner, outer = [(0.12, -0.72), (0.4, -1.18), end], [end, (1.02, -0.75), (0.93, -0.1)]
        ear = np.concatenate([curve(inner), curve(outer)]) * (side, 1)
        ear = pose.move(ear, -0.2)
        pen.fill(ear, coat.second if coat.pattern == "patch" else coat.fur, fur=True)
        hollow = (ear - ear.mean(0)) * 0.62 + ear.mean(0) + (0, -0.03)
        pen.fill(hollow, mix(coat.fur, coat.flesh, pinkness), outline=False)
    cheek, chin = rng.uniform(1.0, 1.15), rng.uniform(0.8, 0.92)
    head = curve(
        mirrored([(0, -0.86), (0.5, -0.78), (0.9, -0.32), (cheek, 0.22), (0.72, 0.66), (0, chin)]),
        closed=True,
    )
    if rng.random() < 0.5:  # tufts of fur on the cheeks
        for side in (-1, 1):
            tuft = [
                (0.85, 0),
                (1.22, 0.22),
                (1.05, 0.3),
                (1.2, 0.48),
                (0.95, 0.5),
                (0.95, 0.7),
                (0.6, 0.6),
            ]
            pen.fill(np.array(tuft) * (side, 1), coat.fur, fur=True)
    pen.fill(head, coat.fur, fur=True)
    inside = pen.area(head)
    _pattern(pen, coat, pose, inside, rng)
    if coat.pattern == "stripes":
        for column, length in ((-0.2, 0.3), (0, 0.4), (0.2, 0.3)):  # the M of a tabby
            x, y = pose.at(column, -0.84, 0.1)
            pen.stroke(curve([(x * 1.2, y), (x * 0.9, y + length)]), coat.second, 0.09)
        for side in (-1, 1):
            for y in (0.05, 0.25):
                pen.stroke(curve([(side * 1.0, y), (side * 0.7, y + 0.07)]), coat.second, 0.07)
    if rng.random() < 0.5:
        _blaze(pen, coat, pose, inside)
    for side in (-1, 1):
        puff = pose.move(ellipse(side * 0.23, 0.48, 0.33, 0.28), 0.35)
        pen.fill(puff, coat.light, outline=False)
    pen.fill(pose.move(ellipse(0, 0.7, 0.24, 0.15), 0.3), coat.light, outline=False)
    _cat_eyes(pen, coat, pose, rng)
    nose = curve(
        [(-0.13, 0.2), (0, 0.17), (0.13, 0.2), (0.05, 0.3), (0, 0.33), (-0.05, 0.3)], closed=True
    )
    x, y = pose.at(0, 0.33, 0.42)
    line = _contrast(coat.light)
    if rng.random() < 0.3:  # the tip of the tongue
        pen.fill(ellipse(x, y + 0.2, 0.1, rng.uniform(0.12, 0.2)), coat.flesh)
    for side in (-1, 1):
        pen.stroke(ellipse(x + side * 0.14, y + 0.1, 0.14, 0.12, 0, 0, 170), line, 0.035)
    pen.stroke([(x, y), (x, y + 0.11)], line, 0.035)
    pen.fill(pose.move(nose, 0.42), coat.nose, outline=False)
    _whiskers(pen, coat, pose, rng)


def _cat_eyes(pen, coat, pose, rng):
    asleep, size = rng.random() < 0.06, rng.uniform(0.75, 1.1)
    slit, slant = rng.uniform(0.035, 0.1), rng.uniform(5, 18)
    for side in (-1, 1):
        x, y = centre = pose.at(side * 0.42, -0.12, 0.2)
        if asleep:
            pen.stroke(ellipse(x, y, 0.22, 0.12, 0, 10, 170), _contrast(coat.fur), 0.05)
            continue
        almond = curve(
            [(-0.27, 0.05), (-0.1, -0.19), (0.12, -0.19), (0.27, 0), (0.1, 0.2), (-0.12, 0.2)],
            closed=True,
        ) * (side * size, size)
        almond = rotated(almond, -side * slant)
        pen.fill(almond * 1.14 + centre, BLACK, outline=False)
        pen.fill(almond + centre, coat.eye, outline=False)
        pen.fill(ellipse(x, y, slit, 0.18 * size), BLACK, outline=False)
        pen.fill(ellipse(x + 0.07, y - 0.09, 0.045, 0.045), WHITE, outline=False)


def _whiskers(pen, coat, pose, rng):
    colour = WHITE if sum(coat.fur) < 480 else (70, 70, 75)
    length, droop = rng.uniform(0.8, 1.15), rng.uniform(-0.1, 0.2)
    for side in (-1, 1):
        for level in (-1, 0, 1):
            x, y = pose.at(side * 0.3, 0.45 + level * 0.07, 0.35)
            end = (x + side * length, y + level * 0.2 + droop)
            middle = (x + side * length / 2, y + level * 0.12 - 0.05)
            pen.stroke(curve([(x, y), middle, end]), colour, 0.026)


def draw_dog_head(pen, coat, pose, rng):
    """Hanging ears, a long muzzle with a big nose, round pupils, sometimes the tongue."""
    jaw, brow = rng.uniform(0.62, 0.8), rng.uniform(0.72, 0.88)
    head = curve(
        mirrored(
            [(0, -0.95), (0.5, -0.86), (brow, -0.4), (brow - 0.02, 0.1), (jaw, 0.6), (0, 0.98)]
        ),
        closed=True,
    )
    pen.fill(head, coat.fur, fur=True)
    _pattern(pen, coat, pose, pen.area(head), rng)
    long, wide = rng.uniform(1.0, 1.3), rng.uniform(0.44, 0.58)
    muzzle = curve(
        mirrored(
            [(0, -0.2), (0.16, -0.1), (0.25, 0.15), (wide, 0.5), (wide * 0.9, 0.88), (0, long)]
        ),
        closed=True,
    )
    if rng.random() < 0.5:
        _blaze(pen, coat, pose, pen.area(head))
    x, y = pose.at(0, 0.62, 0.6)
    line = _contrast(coat.light)
    if rng.random() < 0.5:  # the mouth is open
        drop = rng.uniform(0.3, 0.6)
        pen.fill(ellipse(x, y + 0.32, 0.3, 0.28), mix(BLACK, coat.flesh, 0.15), fur=True)
        tongue = [(0, 0.3), (0.17, 0.32), (0.2, 0.4 + drop * 0.6), (0, 0.45 + drop)]
        tongue = curve(mirrored(tongue), closed=True) + np.array((x, y))
        muzzle[:, 1] = np.minimum(muzzle[:, 1], 0.92)
        pen.fill(pose.move(muzzle, 0.5), coat.light, fur=True)
        pen.fill(tongue, coat.flesh)
        groove = [(x, y + 0.42), (x, y + 0.35 + drop * 0.7)]
        pen.stroke(groove, mix(coat.flesh, BLACK, 0.2), 0.03)
    else:
        pen.fill(pose.move(muzzle, 0.5), coat.light, fur=True)
    pen.stroke([(x, y - 0.2), (x, y + 0.05)], line, 0.04)
    for side in (-1, 1):
        pen.stroke(ellipse(x + side * 0.2, y + 0.02, 0.2, 0.18, 0, 5, 175), line, 0.04)
        for dx, dy in ((0.22, -0.08), (0.33, -0.02), (0.28, -0.16)):
            pen.fill(ellipse(x + side * dx, y + dy, 0.022, 0.022), line, outline=False)
    _dog_eyes(pen, coat, pose, rng)
    broad = rng.uniform(0.23, 0.31)
    nose = mirrored([(0, -0.15), (broad * 0.8, -0.14), (broad, 0), (broad * 0.5, 0.14), (0, 0.2)])
    x, y = pose.at(0, 0.32, 0.75)
    pen.fill(curve(nose, closed=True) + np.array((x, y)), coat.nose, outline=False)
    for side in (-1, 1):
        pen.fill(ellipse(x + side * 0.1, y + 0.04, 0.05, 0.035), BLACK, outline=False)
    pen.fill(ellipse(x - 0.06, y - 0.08, 0.08, 0.03), mix(coat.nose, WHITE, 0.55), outline=False)
    _dog_ears(pen, coat, pose, rng)


def _dog_eyes(pen, coat, pose, rng):
    asleep, size, brows = rng.random() < 0.06, rng.uniform(0.15, 0.22), rng.random() < 0.5
    for side in (-1, 1):
        x, y = pose.at(side * 0.4, -0.25, 0.2)
        if asleep:
            pen.stroke(ellipse(x, y, 0.18, 0.1, 0, 190, 350), _contrast(coat.fur), 0.05)
            continue
        pen.fill(ellipse(x, y, size * 1.13, size * 1.16), BLACK, outline=False)
        pen.fill(ellipse(x, y, size, size), coat.eye, outline=False)
        pen.fill(ellipse(x, y, size * 0.66, size * 0.66), BLACK, outline=False)
        pen.fill(ellipse(x + 0.05, y - 0.06, 0.045, 0.045), WHITE, outline=False)
        if brows:
            pen.fill(ellipse(x, y - 0.3, 0.12, 0.06, side * 20), coat.light, outline=False)


def _dog_ears(pen, coat, pose, rng):
    long, wide = rng.uniform(0.35, 1.05), rng.uniform(0.9, 1.25)
    colour = mix(coat.fur, coat.ink, 0.2) if coat.pattern == "stripes" else coat.second
    for side in (-1, 1):
        ear = curve(
            [(0.42, -0.9), (0.85 * wide, -0.85), (1.12 * wide, -0.3), (1.2 * wide, long * 0.7),
             (1.0 * wide, long), (0.8, long * 0.75), (0.74, -0.1), (0.6, -0.55)],
            closed=True,
        ) * (side, 1)  # fmt: skip
        hinge = np.array((side * 0.6, -0.8))
        ear = rotated(ear - hinge, rng.uniform(-10, 10)) + hinge
        pen.fill(pose.move(ear, -0.12), colour, fur=True)


def _pattern(pen, coat, pose, inside, rng):
    """Patches and spots on the face, cut off at its outline."""
    if coat.pattern == "patch":
        side = rng.choice([-1, 1])
        x, y = pose.at(side * 0.45, -0.2, 0.15)
        patch = ellipse(x, y, rng.uniform(0.3, 0.5), rng.uniform(0.35, 0.6), rng.uniform(-30, 30))
        pen.fill(patch, coat.second, outline=False, within=inside)
    elif coat.pattern == "spots":
        for x, y, r in rng.uniform((-0.9, -0.9, 0.06), (0.9, 0.8, 0.2), (8, 3)):
            pen.fill(ellipse(x, y, r, r * 0.8), coat.second, outline=False, within=inside)


def _blaze(pen, coat, pose, inside):
    """A light line from the forehead to the nose."""
    blaze = mirrored([(0, -1), (0.1, -0.95), (0.12, -0.4), (0.26, 0.2), (0, 0.4)])
    pen.fill(pose.move(blaze, 0.15), coat.light, outline=False, within=inside)


def draw_body(pen, coat, tail, rng):
    """Chest, front legs and paws below the head, or a body that lies to one side; and the tail.

    Args:
        tail: "cat" (long, in a curl) or "dog" (short, thick, up).
    """
    side = rng.choice([-1, 1])
    lying = rng.random() < 0.3
    if lying:
        trunk = curve(
            [(-0.5, 0.4), (0.6, 0.5), (1.6, 0.55), (2.3, 1.0), (2.3, 1.9), (0, 2.05), (-0.8, 1.6)],
            closed=True,
        )
        root = np.array((2.2, 1.2))
    else:
        trunk = curve(
            mirrored([(0, 0.1), (0.6, 0.5), (0.95, 1.5), (1.15, 2.5), (0.9, 3.1), (0, 3.2)]),
            closed=True,
        )
        root = np.array((0.9, 2.6))
    _tail(pen, coat, tail, root, side, rng)
    trunk = trunk * (side, 1)
    pen.fill(trunk, coat.fur, fur=True)
    inside = pen.area(trunk)
    if coat.pattern in ("spots", "patch"):
        for x, y, r in rng.uniform((-1, 0.8, 0.1), (2, 3, 0.35), (8, 3)):
            spot = ellipse(x * side, y, r, r * 0.8)
            pen.fill(spot, coat.second, outline=False, within=inside)
    elif coat.pattern == "stripes":
        for y in np.arange(1.1, 3, 0.3):
            for end in (-1, 1) if not lying else (side,):
                line = [(end * 1.3, y), (end * 0.9, y + 0.1), (end * 0.6, y + 0.05)]
                pen.stroke(curve(line), coat.second, 0.1, within=inside)
    pen.fill(ellipse(0, 1.3, 0.42, 0.6), coat.light, outline=False, within=inside)
    _legs(pen, coat, lying)
    if rng.random() < 0.45:
        band = pick(TOYS, rng)
        pen.stroke(ellipse(0, 0.75, 0.6, 0.33, 0, 10, 170), band, 0.16)
        pen.fill(ellipse(0, 1.17, 0.12, 0.12), mix(band, (80, 220, 250), 0.8))


def _tail(pen, coat, kind, root, side, rng):
    if kind == "cat":
        knots, width = [(0, 0), (0.7, 0.15), (1.05, -0.5), (0.8, -1.2), (1.1, -1.6)], 0.24
    else:
        knots, width = [(-0.1, 0), (0.45, -0.3), (0.65, -0.85)], 0.36
    line = (curve(np.array(knots) * rng.uniform(0.8, 1.2, 2)) + root) * (side, 1)
    pen.stroke(line, coat.ink, width + 2 * pen.weight)
    pen.stroke(line, coat.fur, width)


def _legs(pen, coat, lying):
    foot = 1.95 if lying else 3.1
    for side in (-1, 1):
        if not lying:
            inner, outer = side * 0.2, side * 0.55
            leg = [(inner, 1.9), (outer, 1.9), (outer, foot), (inner, foot)]
            pen.fill(leg, coat.fur, outline=False, fur=True)
            for x in (inner, outer):
                pen.stroke([(x, 1.9), (x, foot)], coat.ink, pen.weight or 0.02)
        pen.fill(ellipse(side * 0.4, foot, 0.32, 0.2), coat.light, fur=True)
        for toe in (side * 0.4 - 0.1, side * 0.4 + 0.1):
            pen.stroke([(toe, foot), (toe, foot + 0.14)], coat.ink, 0.025)


def _contrast(colour):
    """Return a line colour one can see on `colour`."""
    return mix(colour, BLACK, 0.75) if sum(colour) > 270 else mix(colour, WHITE, 0.45)
