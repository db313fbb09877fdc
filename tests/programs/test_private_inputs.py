import os

import ml_collections
import pytest

from ecgmae_jax.programs.private_inputs import keep_private


@pytest.fixture
def umask():
    """The umask that a run leaves; the test's own comes back."""
    before = os.umask(0o022)

    def found():
        now = os.umask(0o022)
        os.umask(now)
        return now

    yield found
    os.umask(before)


@pytest.mark.parametrize(("mode", "expected"), [(0o700, 0o077), (0o755, 0o022)])
@pytest.mark.parametrize("field", ["data", "rows", "models", "places"])
def test_what_is_made_of_private_files_is_private(tmp_path, umask, mode, expected, field):
    (tmp_path / "clinical_cohort").mkdir(mode=mode)
    (tmp_path / "clinical_cohort").chmod(mode)
    config = ml_collections.ConfigDict({"seed": 0, "folder": "", "absent": str(tmp_path / "none")})
    if field == "data":
        config.data = {"name": "clinical_cohort", "data_dir": str(tmp_path)}
        tmp_path.chmod(0o755)
    elif field == "rows":
        config.rows = {"MAE": str(tmp_path / "clinical_cohort")}
    elif field == "models":
        config.models = (f"MAE={tmp_path / 'clinical_cohort'}",)
    else:
        config.places = [str(tmp_path / "clinical_cohort")]
    keep_private(config)
    assert umask() == expected


@pytest.mark.parametrize("text", ["x" * 5_000, "a\0b", "~nobody/x", "=", "", "a=" + "b" * 5_000])
def test_a_text_that_is_no_path_is_passed_over(umask, text):
    keep_private(ml_collections.ConfigDict({"label": text, "data": {"data_dir": text}}))
    assert umask() == 0o022
