"""Pre-training on sheets that are drawn inside the train step."""

import numpy as np
import pytest
from PIL import Image

DRAWN = (
    "data.config=tiny_signal",
    "data.draw=device",
    "sheet.height=64",
    "sheet.width=96",
    "target=ink",
    "probes=()",
    "epochs=4.0",
    "every.evaluate=1000",
    "every.checkpoint=1000",
)


@pytest.fixture(scope="module")
def drawn(main, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("drawn")
    main.succeed(main.pretrain(workdir, *DRAWN))
    return workdir


def test_the_same_pictures_are_drawn_on_two_devices(main, drawn, tmp_path, read_losses):
    main.succeed(main.pretrain(tmp_path, *DRAWN), devices=2)
    alone, shared = read_losses(drawn), read_losses(tmp_path)
    assert len(alone) >= 5
    assert sorted(alone) == sorted(shared)
    np.testing.assert_allclose(
        [shared[step] for step in sorted(shared)],
        [alone[step] for step in sorted(alone)],
        rtol=1e-5,
    )


def test_its_reconstructions_show_the_ink(main, drawn, tmp_path):
    settings = (
        *main.data(),
        "data.config=tiny_signal",
        f"checkpoint={drawn}",
        "num_pictures=2",
    )
    main.succeed(main.command("reconstruct.py:demo", tmp_path, *settings))
    panel = np.asarray(Image.open(tmp_path / "reconstructions.png").convert("L"), int)
    # Five columns: the input, its visible quarter, the ink, the prediction twice.
    left = 12 + 2 * (96 + 12)
    ink = panel[-100:-40, left : left + 96]
    assert (ink > 250).mean() > 0.5
    assert ink.min() < 200


def test_stored_pictures_hold_no_ink(main, tmp_path):
    done = main.run(main.pretrain(tmp_path, "target=ink"))
    assert done.returncode == 2
    assert "config.target is 'ink', and stored pictures hold nothing but" in done.stderr
    assert "data.draw=device" in done.stderr
