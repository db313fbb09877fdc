import numpy as np
from PIL import Image

from ecgmae_jax.scans.layers import ink_filled, paper_colour


def test_strokes_are_filled_with_what_is_around():
    layer = np.zeros((120, 160), np.float32)
    layer[::10] = 0.2
    layer[:, ::10] = 0.2
    grid = layer.copy()
    layer[58:60, 20:140] = 0.9
    filled = ink_filled(layer)
    stroke = np.s_[56:62, 25:135]
    assert filled[stroke].max() <= 0.2 + 1e-6
    # As dark as the grid is on the whole.
    assert abs(filled[58:60, 25:135].mean() - grid.mean()) < 0.03
    far = np.s_[:50]
    np.testing.assert_allclose(filled[far], grid[far])


def test_paper_is_the_most_usual_colour():
    page = Image.new("RGB", (50, 40), (250, 240, 230))
    page.paste((0, 0, 0), (0, 0, 20, 20))
    assert paper_colour(page) == (250, 240, 230)
    assert paper_colour(page.convert("L")) == page.convert("L").getpixel((49, 39))
