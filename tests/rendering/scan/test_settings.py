import dataclasses

import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.scan.artefacts import ARTEFACTS
from ecgmae_jax.rendering.scan.chain import IN_THE_CAMERA, ON_PAPER
from ecgmae_jax.rendering.scan.presets import preset
from ecgmae_jax.rendering.scan.settings import ScanSettings, Strength, scaled
from ecgmae_jax.rendering.scan.warp import GEOMETRIC


def test_every_artefact_has_a_setting_and_happens_once():
    fields = [field.name for field in dataclasses.fields(ScanSettings)]
    assert fields == [*ARTEFACTS, "desk"]
    assert sorted((*ON_PAPER, *GEOMETRIC, *IN_THE_CAMERA)) == sorted(ARTEFACTS)


def test_nothing_is_on_unless_asked_for():
    settings = ScanSettings.off()
    assert not any(settings.active(name) for name in ARTEFACTS)
    assert not ScanSettings(pen=Strength(0.5, 0.5, 0.0)).active("pen")


def test_presets_are_those_of_the_two_devices():
    scan, photo = preset("scan"), preset("photo")
    assert scan.rotation.high <= 3
    for name in ("perspective", "curl", "shadow", "moire", "motion_blur"):
        assert getattr(scan, name) is None
        assert photo.active(name)
    # A tilt of 15 degrees shortens one direction by cos 15 = 3.4 %: mm/s and mm/mV still agree.
    assert photo.perspective.high < 15
    with pytest.raises(InputError, match=r"no scan preset 'fax'; there are scan, photo"):
        preset("fax")


def test_scaled_replaces_one_artefact():
    settings = scaled(preset("scan"), "jpeg", 20.0)
    assert settings.jpeg == Strength(20.0, 20.0, 1.0)
    assert dataclasses.replace(settings, jpeg=preset("scan").jpeg) == preset("scan")
    with pytest.raises(InputError, match=r"no artefact 'flip'; there are rotation, "):
        scaled(settings, "flip", 1.0)


def test_settings_can_be_keys():
    assert hash(preset("photo")) == hash(dataclasses.replace(preset("photo")))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"rotation": Strength(0.0, 90.0)},
            r"rotation: strengths from 0 to 90 degrees; expected 0 <=",
        ),
        ({"jpeg": Strength(90.0, 30.0)}, r"jpeg: strengths from 90 to 30 quality"),
        ({"pen": Strength(float("nan"), 1.0)}, r"pen: strengths from nan to 1 mm"),
        ({"fading": Strength(0.0, 0.5, 1.5)}, r"fading: probability 1.5; expected 0 to 1"),
        ({"desk": (0.5, 2.0)}, r"desk=\(0.5, 2.0\): expected shares of white"),
    ],
)
def test_strengths_outside_their_limits_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        ScanSettings(**wrong)


def test_the_documented_ranges_are_those_of_the_presets(repository):
    def cell(strength):
        if strength is None:
            return ""
        span = sorted({strength.low, strength.high})
        return f"{' to '.join(f'{s:g}' for s in span)}, {100 * strength.probability:.0f} %"

    text = (repository / "docs" / "scans.md").read_text()
    for name, artefact in ARTEFACTS.items():
        cells = (cell(getattr(preset(which), name)) for which in ("scan", "photo"))
        row = (name, f"{artefact.meaning} ({artefact.unit})", *cells)
        assert f"| {' | '.join(row)} |" in text
