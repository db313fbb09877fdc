import numpy as np
import pytest

from ecgmae_jax.evaluation.reporting.attribution_shares import (
    OUTSIDE,
    lead_second_shares,
    positive_shares,
    strip_shares,
)

# 60 x 40 mm at 2 px/mm: two rows of 20 mm, each 50 mm of trace at 25 mm/s from 5 mm on.
STRIP = {"duration_s": 2.0, "x_mm": 5.0, "width_mm": 50.0, "row_height_mm": 20.0}
PICTURE = {
    "height": 80,
    "width": 120,
    "px_per_mm": 2.0,
    "strips": [
        {"lead": "I", "start_s": 0.0, "baseline_mm": 10.0, "row": 0} | STRIP,
        {"lead": "V1", "start_s": 2.5, "baseline_mm": 30.0, "row": 1} | STRIP,
    ],
}
GRID = (4, 6)


def shares_of(*patches):
    found = np.zeros((1, 24))
    found[0, list(patches)] = 1 / len(patches)
    return found


def test_negative_contributions_are_left_out():
    values = np.array([[1.0, -5.0, 3.0], [-1.0, 0.0, -2.0]])
    np.testing.assert_array_equal(positive_shares(values), [[0.25, 0, 0.75], [0, 0, 0]])


def test_every_place_has_its_lead_and_second():
    places, found = lead_second_shares(np.full((2, 24), 1 / 24), PICTURE, grid=GRID)
    assert places == [
        *(("I", second) for second in (0, 1)),
        *(("V1", second) for second in (2, 3, 4)),
        (OUTSIDE, None),
    ]
    # An even map is shared by area: 25 x 20 mm of 60 x 40 for a second, 5 + 5 mm outside.
    expected = np.array([500, 500, 250, 500, 250, 400]) / 2400
    np.testing.assert_allclose(found, np.tile(expected, (2, 1)), rtol=1e-12)


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        # The second patch of the first row: 10 to 20 mm, that is 0.2 to 0.6 s of lead I.
        (1, {("I", 0): 1.0}),
        # 0 to 10 mm: half of it is left of the trace.
        (0, {("I", 0): 0.5, (OUTSIDE, None): 0.5}),
        # 20 to 30 mm of the last row: 3.1 to 3.5 s of V1.
        (20, {("V1", 3): 1.0}),
        # 10 to 20 mm there: 2.7 to 3.1 s.
        (19, {("V1", 2): 0.75, ("V1", 3): 0.25}),
    ],
)
def test_a_patch_belongs_to_what_it_covers(patch, expected):
    places, found = lead_second_shares(shares_of(patch), PICTURE, grid=GRID)
    nonzero = {place: share for place, share in zip(places, found[0], strict=True) if share}
    assert nonzero == pytest.approx(expected)


def test_strips_have_the_shares_of_their_seconds():
    shares = np.random.default_rng(0).dirichlet(np.ones(24), size=1)
    places, found = lead_second_shares(shares, PICTURE, grid=GRID)
    by_lead = {"I": 0.0, "V1": 0.0}
    for (lead, second), share in zip(places, found[0], strict=True):
        if second is not None:
            by_lead[lead] += share
    assert strip_shares(shares[0], PICTURE, grid=GRID) == pytest.approx([*by_lead.values()])
    assert found.sum() == pytest.approx(1)


def test_a_lead_printed_twice_counts_both_times():
    again = PICTURE["strips"][1] | {"lead": "I", "start_s": 0.0}
    picture = PICTURE | {"strips": [PICTURE["strips"][0], again]}
    places, found = lead_second_shares(shares_of(2, 14), picture, grid=GRID)
    assert places == [("I", 0), ("I", 1), (OUTSIDE, None)]
    np.testing.assert_allclose(found, [[1, 0, 0]], atol=1e-12)


def test_thirds_of_seconds_end_where_they_should():
    strip = STRIP | {"lead": "II", "start_s": 20 / 3, "duration_s": 10 / 3, "baseline_mm": 10.0}
    places, _ = lead_second_shares(
        shares_of(1), PICTURE | {"strips": [strip | {"row": 0}]}, grid=GRID
    )
    assert [second for _, second in places] == [6, 7, 8, 9, None]


def test_pictures_of_unknown_geometry_are_all_outside():
    places, found = lead_second_shares(shares_of(3), {"height": 80, "width": 120}, grid=GRID)
    assert places == [(OUTSIDE, None)]
    np.testing.assert_array_equal(found, [[1]])
