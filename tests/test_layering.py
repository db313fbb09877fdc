"""Who may import whom: the house stands because nothing climbs."""

import ast

import pytest

ROOMS = {
    "records": set(),
    "rendering": {"records"},
    "scans": {"records"},
    "cohorts": {"records", "rendering", "scans", "data"},
    "models": set(),
    "interop": {"models"},
    "data": set(),
    "training": set(),
    "evaluation": set(),
    "programs": {
        "records",
        "rendering",
        "scans",
        "cohorts",
        "models",
        "interop",
        "data",
        "training",
        "evaluation",
    },
}
# Library -> the places that may import it, as prefixes of module paths.
CONFINED = {
    "tensorflow": (),
    "wfdb": ("ecgmae_jax/records/",),
    "orbax": ("ecgmae_jax/training/checkpoint",),
    "ecg_plot": ("ecgmae_jax/rendering/ecg_plot_reference.py",),
    "ml_collections": ("ecgmae_jax/programs/", "configs/", "main.py"),
    "tensorflow_datasets": ("ecgmae_jax/data/", "data_builders/"),
    "apache_beam": ("data_builders/",),
    "tensorboardX": ("ecgmae_jax/training/",),
    "safetensors": ("ecgmae_jax/interop/",),
}


def modules_imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources(repository):
    for top in ("ecgmae_jax", "data_builders", "configs", "main.py"):
        found = repository / top
        yield from [found] if found.is_file() else sorted(found.rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_what_lies_before_them(repository, room):
    files = sorted((repository / "ecgmae_jax" / room).rglob("*.py"))
    assert files
    for path in files:
        for module in modules_imported(path):
            parts = module.split(".")
            if parts[0] in ("configs", "data_builders", "main"):
                pytest.fail(f"{path} imports {module}")
            if parts[0] == "ecgmae_jax" and len(parts) > 1 and parts[1] in ROOMS:
                assert parts[1] in ROOMS[room] | {room}, f"{path} imports {module}"


def test_builders_know_only_what_is_read_and_drawn(repository):
    for path in sorted((repository / "data_builders").rglob("*.py")):
        for module in modules_imported(path):
            parts = module.split(".")
            if parts[0] == "ecgmae_jax" and len(parts) > 1 and parts[1] in ROOMS:
                known = {"records", "rendering", "scans", "cohorts"}
                assert parts[1] in known, f"{path} imports {module}"


def test_configs_import_nothing_but_ml_collections_and_each_other(repository):
    for path in sorted((repository / "configs").glob("*.py")):
        for module in modules_imported(path):
            assert module.split(".")[0] in ("ml_collections", "configs"), f"{path} imports {module}"


@pytest.mark.parametrize("library", CONFINED)
def test_library_is_confined(repository, library):
    for path in sources(repository):
        name = str(path.relative_to(repository))
        for module in modules_imported(path):
            if module.split(".")[0] == library:
                assert name.startswith(CONFINED[library]), f"{name} imports {module}"


def test_no_assert_outside_tests(repository):
    for path in sources(repository):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not isinstance(node, ast.Assert), f"{path}:{node.lineno}"
