import pytest

from data_builders.ecg_config import EcgConfig
from data_builders.features import picture_metadata
from data_builders.physionet2021.physionet2021_dataset_builder import Builder as Challenge2021
from data_builders.ptb_xl.ptb_xl_dataset_builder import Builder as PtbXl
from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.stored_sheet import sheet_from_dict


def test_an_unknown_config_lists_those_that_exist(tmp_path):
    with pytest.raises(InputError, match=r"no config 'shet'; --config is one of sheet, signal, "):
        PtbXl(config="shet", data_dir=tmp_path)


def test_a_config_of_one_s_own_is_checked():
    with pytest.raises(InputError, match=r"config mine: renderer='agg', expected one of \('jax', "):
        EcgConfig(name="mine", renderer="agg")


def test_a_config_of_one_s_own_may_draw_chest_leads_at_half_the_gain():
    config = EcgConfig(name="mine", layout="6x2", chest_gain=0.5)
    assert sheet_from_dict(config.sheet().as_dict()) == config.sheet()
    assert picture_metadata(config)["paper"] == {"chest_gain": 0.5}


def test_every_challenge_source_has_a_sheet_and_a_signal_config():
    configs = Challenge2021.builder_configs
    assert len(configs) == 9 + 2 * 8
    assert configs["signal_ptb_xl"].sources == ("ptb-xl",)
    assert configs["signal_ptb_xl"].sheet() is None
    assert configs["sheet_6x2"].sheet().layout.name == "6x2"


def test_the_look_of_ecg_plot_is_drawn_by_our_own_drawer_at_a_stated_scale():
    picture = picture_metadata(Challenge2021.builder_configs["ecg_plot_style"])
    assert picture["layout"] == "6x2 simultaneous"
    assert picture["mm_per_s"] == 25.4
    assert picture["px_per_mm"] == pytest.approx(512 / 508)


def test_metadata_of_ecg_plot_claims_no_scale():
    picture = picture_metadata(Challenge2021.builder_configs["ecg_plot"])
    assert picture["renderer"] == "ecg_plot"
    assert "px_per_mm" not in picture
    assert (picture["height"], picture["width"], picture["channels"]) == (384, 512, 1)
