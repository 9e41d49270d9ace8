from itertools import combinations

import numpy as np
import pytest

from clientela.dashboard.components import BASELINE, CURRENT, LETTERS, SEVERITY_COLOURS, TINTS

# how colours look without one kind of cones, in linear light (Machado, Oliveira, Fernandes 2009)
SEEN = {
    "everything": np.eye(3),
    "no red cones": np.array(
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
    ),
    "no green cones": np.array(
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
    ),
}
TEXT = "#1d2025"


def linear(colour):
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """WCAG 2.2, between 1 and 21."""
    light, dark = sorted(linear(each) @ [0.2126, 0.7152, 0.0722] for each in (one, other))[::-1]
    return (light + 0.05) / (dark + 0.05)


def lab(light):
    """CIE L*a*b* under D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ light.clip(0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("seen", SEEN)
def test_severities_stay_apart_for_every_kind_of_colour_vision(seen):
    for one, other in combinations(SEVERITY_COLOURS.values(), 2):
        apart = np.linalg.norm(lab(SEEN[seen] @ linear(one)) - lab(SEEN[seen] @ linear(other)))
        assert apart > 30, (one, other)


@pytest.mark.parametrize("severity", SEVERITY_COLOURS)
def test_letters_can_be_read_on_their_severity(severity):
    assert contrast(LETTERS[severity], SEVERITY_COLOURS[severity]) > 4.5
    assert contrast(TEXT, TINTS[severity]) > 7


def test_baseline_and_current_differ_in_lightness():
    assert contrast(BASELINE, CURRENT) > 3
