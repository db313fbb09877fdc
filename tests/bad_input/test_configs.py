"""Settings of the right kind that make no sense: one line before anything is computed."""

import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).with_name("nonsense.py")


def _cases():
    specification = importlib.util.spec_from_file_location("nonsense", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return [
        (program, case, words)
        for program, cases in module.CASES.items()
        for case, (_, words) in cases.items()
    ]


CASES = _cases()


@pytest.fixture(scope="module")
def outcomes(repository, tmp_path_factory):
    """Program -> case -> what was said and left."""
    folder = tmp_path_factory.mktemp("nonsense")
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)],
        cwd=repository,
        env=os.environ | flags | {"PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "outcomes.json").read_text())


@pytest.mark.parametrize(
    ("program", "case", "words"), CASES, ids=[f"{p}: {c}" for p, c, _ in CASES]
)
def test_a_program_refuses(outcomes, program, case, words):
    found = outcomes[program][case]
    assert found["kind"] == "InputError", found
    assert re.search(words, found["line"]), found
    assert found["line"].isprintable()
    assert found["left"] == []
