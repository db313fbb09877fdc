"""What no line of the program may do: unpickle, run text as code, or reach for the network."""

import ast
import re

import pytest

NEVER_IMPORTED = {
    "unpickling": {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve"},
    "marshalling": {"marshal"},
    "unpickling of weights": {"torch"},
    "the network": {
        "socket",
        "ssl",
        "http",
        "urllib",
        "urllib3",
        "requests",
        "httpx",
        "aiohttp",
        "ftplib",
        "smtplib",
        "fsspec",
        "gcsfs",
        "s3fs",
        "boto3",
    },
}
# Names of functions, and of methods of anything.
NEVER_CALLED = {"eval", "exec", "read_pickle", "to_pickle", "unsafe_load", "system", "popen"}
# wfdb fetches a record from PhysioNet where it is given this.
NEVER_GIVEN = {"pn_dir"}


@pytest.fixture(scope="module")
def sources(repository):
    """Path -> text of every source file."""
    tops = ("ecgmae_jax", "data_builders", "configs", "benchmarks")
    paths = [path for top in tops for path in sorted((repository / top).rglob("*.py"))]
    return {
        str(path.relative_to(repository)): path.read_text()
        for path in [*paths, repository / "main.py"]
    }


@pytest.fixture(scope="module")
def nodes(sources):
    return [
        (f"{name}:{node.lineno}", node)
        for name, text in sources.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Call)
    ]


@pytest.fixture(scope="module")
def calls(nodes):
    """Place, name of the function, all of it, and its keywords."""
    return [
        (
            place,
            getattr(node.func, "attr", None) or getattr(node.func, "id", ""),
            node.func,
            {keyword.arg: keyword.value for keyword in node.keywords},
        )
        for place, node in nodes
        if isinstance(node, ast.Call)
    ]


@pytest.mark.parametrize("purpose", NEVER_IMPORTED)
def test_nothing_imports_what_serves(nodes, purpose):
    found = []
    for place, node in nodes:
        if isinstance(node, ast.Call):
            continue
        names = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        found += [
            f"{place}: {name}"
            for name in names
            if name and name.split(".")[0] in NEVER_IMPORTED[purpose]
        ]
    # The comparison with PyTorch needs PyTorch, and loads nothing with it.
    found = [place for place in found if not place.startswith("benchmarks/torch_")]
    assert found == []


def test_nothing_runs_text_as_code(calls):
    assert [place for place, name, _, _ in calls if name in NEVER_CALLED] == []


def test_no_command_goes_through_a_shell(calls):
    assert [place for place, _, _, keywords in calls if "shell" in keywords] == []


def test_every_array_file_is_read_without_pickles(calls):
    loads = [
        (place, keywords.get("allow_pickle"))
        for place, name, function, keywords in calls
        if name == "load" and ast.unparse(function).split(".")[0] in ("np", "numpy")
    ]
    assert loads
    for place, allowed in loads:
        assert isinstance(allowed, ast.Constant), place
        assert allowed.value is False, place


def test_no_record_is_fetched_from_the_network(calls):
    given = [place for place, _, _, keywords in calls if NEVER_GIVEN & set(keywords)]
    assert given == []


def test_no_address_is_opened(sources):
    pattern = re.compile(r"open\w*\(\s*f?[\"'](?:https?|ftp|s3|gs)://")
    assert [name for name, text in sources.items() if pattern.search(text)] == []
