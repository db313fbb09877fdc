import importlib.util
import json
import pathlib

import jax
import pytest


@pytest.fixture(scope="session")
def toy():
    """The module of the toy model and its run."""
    path = pathlib.Path(__file__).with_name("toy.py")
    specification = importlib.util.spec_from_file_location("toy", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def losses():
    """A function from a workdir to {step: loss} as logged, every digit of it."""

    def read(workdir):
        lines = (workdir / "metrics.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        assert len({row["step"] for row in rows}) == len(rows)
        return {row["step"]: row["loss"].hex() for row in rows}

    return read


@pytest.fixture
def same_trees():
    """A function that fails unless two trees hold the same bits."""

    def check(one, other):
        assert jax.tree.structure(one) == jax.tree.structure(other)
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
            assert (jax.device_get(a) == jax.device_get(b)).all()

    return check
