import numpy as np
import pytest
from PIL import Image, ImageDraw

from ecgmae_jax.scans.bent_sheet import BentSheet
from ecgmae_jax.scans.lattice import Coordinate

SIZE = (600, 400)
PX_PER_MM = 4.0


def sheet_of(across, down):
    """From coefficients of Chebyshev polynomials by (degree down, degree across)."""
    coordinates = []
    for terms in (across, down):
        coefficients = np.zeros((4, 4))
        for place, value in terms.items():
            coefficients[place] = value
        coordinates.append(Coordinate(coefficients, 1.0, np.ones((5, 5))))
    return BentSheet(*coordinates, SIZE)


@pytest.fixture
def flat():
    return sheet_of({(0, 1): 75.0}, {(1, 0): 50.0})


def test_a_flat_sheet_is_told(flat):
    assert flat.px_per_mm == pytest.approx(PX_PER_MM)
    assert flat.bend_mm == pytest.approx(0, abs=1e-9)
    assert flat.is_possible


def test_bend_is_the_farthest_from_a_flat_one():
    # T2 goes from 1 through -1 to 1; its median over places spread evenly is -0.5.
    sheet = sheet_of({(0, 1): 75.0}, {(1, 0): 50.0, (0, 2): 2.0})
    assert sheet.bend_mm == pytest.approx(2.0 * 1.5, rel=0.01)
    assert sheet.is_possible


def test_bend_counts_where_the_grid_is_plain_only():
    sheet = sheet_of({(0, 1): 75.0}, {(1, 0): 50.0, (0, 2): 2.0})
    faint = np.ones((5, 33))
    faint[:, :8] = faint[:, -8:] = 0.1
    down = Coordinate(sheet.down.coefficients, 1.0, faint)
    assert BentSheet(sheet.across, down, SIZE).bend_mm < 1.5


@pytest.mark.parametrize(
    ("across", "down"),
    [
        ({(0, 1): 75.0, (0, 3): 15.0}, {(1, 0): 50.0}),
        ({(0, 1): 75.0, (1, 0): 30.0}, {(1, 0): 50.0}),
        ({(0, 1): 75.0}, {(1, 0): 60.0}),
        ({(0, 1): -75.0}, {(1, 0): -50.0}),
    ],
    ids=["stretched", "slanted", "not square", "upside down"],
)
def test_what_no_camera_sees_is_impossible(across, down):
    assert not sheet_of(across, down).is_possible


def test_marks_come_to_lie_where_their_coordinates_say():
    sheet = sheet_of(
        {(0, 1): 75.0, (1, 1): 4.0, (0, 2): 1.5}, {(1, 0): 50.0, (0, 2): 3.0, (1, 1): -2.0}
    )
    picture = Image.new("L", SIZE, 255)
    pen = ImageDraw.Draw(picture)
    marks = [(100, 80), (300, 200), (480, 90), (150, 330), (520, 310)]
    for x, y in marks:
        pen.rectangle((x - 2, y - 2, x + 2, y + 2), fill=0)
    drawn = np.asarray(sheet.picture_of(picture), float)
    x, y = (np.array(marks) + 0.5).T / np.array(SIZE)[:, None] * 2 - 1
    places = np.stack([sheet.across.at(y, x), sheet.down.at(y, x)], axis=-1)
    expected = (places - places[1]) * sheet.px_per_mm
    found = np.array([_centroid(drawn, near) for near in _near(drawn, expected)])
    np.testing.assert_allclose(found - found[1], expected, atol=0.3)


def _near(drawn, expected):
    """Where to look for each mark: its place against the second, which is nearest the middle."""
    dark = np.argwhere(drawn < 100)
    middle = np.array(drawn.shape) / 2
    second = dark[np.abs(dark - middle).sum(axis=1).argmin()]
    return second[::-1] + expected


def _centroid(drawn, near):
    x, y = np.rint(near).astype(int)
    part = 255 - drawn[y - 8 : y + 9, x - 8 : x + 9]
    rows, columns = np.mgrid[y - 8 : y + 9, x - 8 : x + 9]
    return (part * columns).sum() / part.sum(), (part * rows).sum() / part.sum()


def test_the_whole_picture_stays_on_the_canvas(flat):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (400, 600), np.uint8))
    same = np.asarray(flat.picture_of(picture), int)
    np.testing.assert_allclose(same, np.asarray(picture, int), atol=1)
    bent = sheet_of({(0, 1): 75.0}, {(1, 0): 50.0, (0, 2): 5.0})
    assert bent.picture_of(picture).size == (600, 440)
