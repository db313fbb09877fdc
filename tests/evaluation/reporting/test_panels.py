import numpy as np

from ecgmae_jax.evaluation.reporting.panels import side_by_side


def test_every_picture_is_there_at_its_own_resolution():
    rng = np.random.default_rng(0)
    columns = {
        "one\nof two lines": [rng.integers(0, 256, (20, 30, 1), np.uint8) for _ in range(3)],
        "two": [rng.integers(0, 256, (20, 30, 3), np.uint8) for _ in range(3)],
    }
    panel = np.asarray(side_by_side(columns, footnote="what was done"))
    for pictures in columns.values():
        for picture in pictures:
            rgb = np.broadcast_to(picture, (20, 30, 3))
            windows = np.lib.stride_tricks.sliding_window_view(panel, (20, 30, 3))[:, :, 0]
            found = (windows[..., 0, 0, :] == rgb[0, 0]).all(-1)
            hits = [(y, x) for y, x in np.argwhere(found) if (windows[y, x] == rgb).all()]
            assert len(hits) == 1
