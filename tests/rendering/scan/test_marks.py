import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecgmae_jax.rendering.scan import marks, stamps
from ecgmae_jax.rendering.scan.strokes import line_coverage, num_dots
from ecgmae_jax.rendering.scan.view import View


@pytest.fixture(scope="module")
def sheet():
    """A blank page of 160 x 213 mm at 1.2 px/mm, and its view in colour."""
    return np.full((192, 256, 3), 240.0), View(192, 256, 3, 1.2)


def test_a_stroke_covers_its_length_times_its_width():
    dots = num_dots(50.0, 1.0)
    x = jnp.linspace(20.3, 70.3, dots)
    run = jax.jit(
        lambda width: line_coverage(
            jnp.full(dots, 15.6), x, width_px=width, widest_px=5.0,
            down=jnp.ones(dots), shape=(30, 90),
        )
    )  # fmt: skip
    for width in (0.5, 1.0, 3.0, 5.0):
        covered = np.asarray(run(width))
        tip = np.pi * max(width, 1) ** 2 / 4 * min(width, 1)
        assert covered.sum() == pytest.approx(50 * width + tip, rel=0.08)
        assert covered.max() <= 1
        rows = np.flatnonzero(covered.any(axis=1))
        assert rows.min() >= 15.6 - max(width, 1) / 2 - 1.01
        assert rows.max() <= 15.6 + max(width, 1) / 2 + 0.01


def test_a_lifted_pen_and_dots_beyond_the_patch_leave_nothing():
    places = jnp.array([-9.0, 5.0, 99.0])
    covered = line_coverage(
        places, places, width_px=jnp.float32(2), widest_px=2.0,
        down=jnp.array([1.0, 0.0, 1.0]), shape=(10, 12),
    )  # fmt: skip
    assert (np.asarray(covered) == 0).all()


@pytest.mark.parametrize("mark", [marks.pen, marks.handwriting, stamps.stamp])
def test_marks_are_translucent_ink_of_one_colour(apply, draws, sheet, mark):
    picture, view = sheet
    strength = {marks.pen: 0.8, marks.handwriting: 3.0, stamps.stamp: 0.9}[mark]
    looks = [apply(mark, picture, strength, draws(seed), view) for seed in range(5)]
    for seen in looks:
        absorbed = 1 - seen / 240
        inked = absorbed.max(axis=2) > 0.02
        assert 20 < inked.sum() < 0.12 * inked.size
        strongest = absorbed[inked]
        hue = strongest / strongest.max(axis=1, keepdims=True)
        np.testing.assert_allclose(hue, np.broadcast_to(hue[:1], hue.shape), atol=0.02)
        inks = 1 - np.array(marks.INKS) / 255
        assert min(np.abs(ink / ink.max() - hue[0]).max() for ink in inks) < 0.02
    assert len({seen.tobytes() for seen in looks}) == 5


def test_letters_are_as_high_as_stated(apply, draws, sheet):
    picture, view = sheet
    heights = []
    for strength in (1.5, 3.0):
        own = np.array(draws(1))
        own[6], own[7:21] = 0.5, 0.6  # level, and small letters only
        inked = apply(marks.handwriting, picture, strength, own, view)[:, :, 0] < 200
        rows = np.flatnonzero(inked.any(axis=1))
        heights.append((rows[-1] - rows[0] + 1) / view.px_per_mm)
    assert heights[0] == pytest.approx(1.5, abs=1.5)
    assert heights[1] - heights[0] == pytest.approx(1.5, abs=0.9)


def test_a_stamp_is_as_opaque_as_stated(apply, draws, sheet):
    picture, view = sheet
    own = np.array(draws(2))
    faint, strong = (apply(stamps.stamp, picture, s, own, view) for s in (0.3, 0.9))
    inked = strong.min(axis=2) < 200
    np.testing.assert_allclose((240 - strong)[inked], 3 * (240 - faint)[inked], rtol=1e-3)


def test_marks_fit_pages_smaller_than_themselves(apply, draws):
    view = View(40, 40, 1, 1.2)
    for mark, strength in ((marks.pen, 0.8), (marks.handwriting, 3.0), (stamps.stamp, 0.9)):
        seen = apply(mark, np.full((40, 40, 1), 240.0), strength, draws(0), view)
        assert seen.shape == (40, 40, 1)
        assert seen.min() >= 0
