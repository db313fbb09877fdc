import jax.numpy as jnp
import numpy as np

from ecgmae_jax.rendering.drawing import make_drawer
from ecgmae_jax.rendering.flat_sheet import flat_ink
from ecgmae_jax.rendering.named_sheets import make_sheet


def test_it_is_what_a_drawing_of_silence_leaves_on_blank_paper():
    sheet = make_sheet(height=192, width=256, style="blank")
    ink = flat_ink(sheet)
    image = make_drawer(sheet, rate_hz=250.0)(jnp.zeros((1, 12, 2500)))[0, :, :, 0]
    darkness = (float(image.max()) - np.asarray(image, float)) / (image.max() - image.min())
    assert np.corrcoef(ink.ravel(), darkness.ravel())[0, 1] > 0.999
    assert ink.min() == 0
    assert ink.max() <= 1


def test_there_is_a_baseline_for_each_row_of_the_layout():
    for layout, rows in (("3x4+1", 4), ("6x2", 6), ("12x1", 12)):
        ink = flat_ink(make_sheet(layout, height=384, width=512, style="blank"))
        middle = ink[:, 300:320].min(axis=1) > 0
        starts = np.flatnonzero(np.diff(middle.astype(int)) == 1)
        assert len(starts) == rows, layout
