"""Every config can be made, every field of it is read, and its table of sizes is the models'."""

import ast
import importlib.util

import ml_collections
import pytest

from ecgmae_jax.models.vit import VIT_SIZES
from ecgmae_jax.rendering.named_sheets import make_sheet

VARIANTS = {
    "pretrain": ("vit_b16", "patch16x8", "square224", "cpu", "demo"),
    "embed": ("ptb_xl", "demo"),
    "linear_probe": ("ptb_xl", "fold9", "demo"),
    "finetune": ("ptb_xl", "cohort", "scanned", "reference", "demo"),
    "evaluate": ("ptb_xl", "demo"),
    "reconstruct": ("ptb_xl", "demo"),
    "preview": ("ptb_xl", "demo"),
    "artefacts": ("example", "ptb_xl"),
    "attribution": ("ptb_xl", "demo"),
    "predict": ("physionet2021", "demo"),
    "report": ("ptb_xl", "demo"),
    "make_splits": ("random", "kfold", "site", "temporal", "given"),
    "verify": ("custom",),
    "profile": ("cpu", "vit_b16"),
    "ptbxl": ("super", "sub", "diag", "form", "rhythm", "all", "super_fold9"),
}
# Configs of another program than that of their own name, and programs that hand theirs on.
PROGRAM_OF = {"ptbxl": "linear_probe"}
HANDED_TO = {"profile": "pretrain", "finetune": "finetune_job"}
CASES = [(name, variant) for name, variants in VARIANTS.items() for variant in variants]


def load(repository, monkeypatch, name):
    monkeypatch.syspath_prepend(str(repository))
    path = repository / "configs" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"config_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_config_file_is_covered(repository):
    files = {path.stem for path in (repository / "configs").glob("*.py")}
    assert files - {"common", "__init__"} == set(VARIANTS)


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_config_names_its_own_program(repository, monkeypatch, name, variant):
    config = load(repository, monkeypatch, name).get_config(variant)
    assert isinstance(config, ml_collections.ConfigDict)
    assert config.program == PROGRAM_OF.get(name, name)
    documented = load(repository, monkeypatch, name).__doc__ + "ptb_xl"
    assert variant.removesuffix("_fold9") in documented


@pytest.mark.parametrize("name", VARIANTS)
def test_every_top_level_field_is_read_by_its_program(repository, monkeypatch, name):
    config = load(repository, monkeypatch, name).get_config()
    program = PROGRAM_OF.get(name, name)
    sources = [
        (repository / "ecgmae_jax" / "programs" / f"{one}.py").read_text()
        for one in (program, HANDED_TO.get(program, program))
    ]
    read = {
        node.attr
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "config"
    }
    assert set(config) - {"program"} <= read, set(config) - {"program"} - read


def test_the_sizes_are_those_of_the_models(repository, monkeypatch):
    common = load(repository, monkeypatch, "common")
    assert {name.capitalize(): size for name, size in common.VIT.items()} == VIT_SIZES


def test_the_sheet_of_a_run_is_the_plain_one_and_may_have_two_gains(repository, monkeypatch):
    config = load(repository, monkeypatch, "pretrain").get_config()
    assert make_sheet(**config.sheet) == make_sheet()
    config.sheet.chest_gain = 0.5
    assert make_sheet(**config.sheet).paper.printed_gain == "10/5"


def test_square224_is_the_published_recipe(repository, monkeypatch):
    config = load(repository, monkeypatch, "pretrain").get_config("square224")
    assert config.loader.batch_size == 4096
    assert config.epochs == 300
    assert config.warmup_epochs == 40
    # The published 2.4e-3 at 4096.
    assert config.optimizer.base_lr * config.loader.batch_size / 256 == pytest.approx(2.4e-3)
    assert config.augment.random_resized_crop.size == (224, 224)
    assert config.augment.horizontal_flip.probability == 0.5
    assert config.model.norm_pix_eps == 1e-6
    assert config.model.mask_ratio == 0.75


def test_main_knows_every_program(repository):
    programs = repository / "ecgmae_jax" / "programs"
    runnable = {path.stem for path in programs.glob("*.py") if "\ndef run(" in path.read_text()}
    tree = ast.parse((repository / "main.py").read_text())
    (known,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PROGRAMS"
    )
    assert set(known) == runnable
