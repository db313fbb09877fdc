import ml_collections
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.programs.report import run
from ecgmae_jax.programs.report_inputs import file_facts, read_refused


@pytest.fixture
def config(make_report_config, tmp_path):
    return make_report_config(tmp_path)


def test_faults_are_one_line_and_leave_nothing(config, tmp_path):
    def expect(match, **changes):
        changed = ml_collections.ConfigDict(config.to_dict())
        changed.update(changes)
        with pytest.raises(InputError, match=match) as fault:
            run(changed, tmp_path / "out")
        assert "\n" not in str(fault.value)
        assert not (tmp_path / "out").exists()

    probe = tmp_path / "probe.csv"
    expect(r"config\.models has 'MAE'; expected <name>=<predictions\.csv>", models=("MAE",))
    expect(r"has 'MAE=.*each name once", models=(f"MAE={probe}", f"MAE={probe}"))
    expect(r"config\.models has \[\]", models=())
    expect(r"config\.development besides \['ViT'\]", development=(f"ViT={probe}",))
    expect(r"no column truth\.death", label="death")
    expect(r"config\.sensitivities is \(0\.9, 1\.5\)", sensitivities=(0.9, 1.5))
    expect(r"steps from 0\.5 to 0\.1", decision={"low": 0.5, "high": 0.1, "steps": 10})
    expect(r"config\.age_edges is \(60\.0, 40\.0\)", age_edges=(60.0, 40.0))
    expect(r"nowhere\.csv: no such file; give a few_shot", few_shot="nowhere.csv")
    expect(r"columns \['task', 'row', 'share', 'draw', 'auroc'\]|missing", few_shot=str(probe))
    expect(r"nowhere\.csv: no such file; a build", rejections="nowhere.csv")
    expect(r"no column 'code'", rejections=str(probe))
    expect(r"cannot be read", statements="nowhere.toml")
    expect(r"not a TOML file", statements=str(probe))
    (tmp_path / "card.toml").write_text('purpose = "x"\n')
    expect(r"\['purpose'\] unknown", statements=str(tmp_path / "card.toml"))
    expect(
        r"nowhere: no such folder",
        cases={"count": 1, "pictures": "nowhere", "attributions": ""},
    )
    for i in range(160, 240):
        (tmp_path / f"{i:05d}.png").write_text("not a picture")
    expect(
        r"cannot be read as a picture",
        cases={"count": 1, "pictures": str(tmp_path), "attributions": ""},
    )


def test_a_file_is_known_by_its_content_and_its_run(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_bytes(b"abc")
    # The first test vector of FIPS 180-2.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_facts(path)["sha256"] == expected
    assert file_facts(path)["program"] == "not stated"
    (tmp_path / "config.json").write_text('{"program": "finetune"}')
    assert file_facts(path)["program"] == "finetune"


def test_refused_recordings_are_counted_by_reason(tmp_path):
    path = tmp_path / "rejections.csv"
    path.write_text("record,code,detail\na,blank,x\nb,damaged,y\nc,blank,z\n")
    assert read_refused(path) == {"blank": 2, "damaged": 1}
    path.write_text("record,code,detail\n")
    assert read_refused(path) == {}
