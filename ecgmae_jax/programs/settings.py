"""What is wrong with `--config` or with a `--config.<field>=<value>`, in one line for people."""

import difflib
import pathlib
import re
import runpy
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

import ml_collections

from ecgmae_jax.errors import InputError

_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple: "values in brackets, such as \"('train',)\"",
    ml_collections.ConfigDict: "a dict in quotes, such as \"{'name': 1}\"",
}
_ADDRESS_MARKS = ("://", "::")


def explain(arguments: Sequence[str], fault: BaseException) -> str:
    """One line on why the command line's flags could not be taken.

    Args:
        arguments: of the command line, without the program.
        fault: what absl or ml_collections raised; their words are for programmers, and are only
            used where nothing better is found.
    """
    try:
        config = _load(_value_of_config(arguments))
        for name in _overridden(arguments):
            _check_field(config, name)
    except InputError as reason:
        return str(reason)
    wrong = re.match(r"flag --config\.([\w.]+)=(.*?): ", str(fault), re.DOTALL)
    if wrong:
        found = config
        for part in wrong[1].split("."):
            found = found[part]
        kind = _KINDS.get(type(found), f"a value like {found!r}")
        return f"--config.{wrong[1]}={wrong[2]}: expected {kind}"
    return " ".join(str(fault).split()) or type(fault).__name__


def check_local(config: ml_collections.ConfigDict, *, workdir: str) -> None:
    """Raises InputError where a setting is an address: everything is read and written locally."""
    for name, value in (("--workdir", workdir), *_leaves(config, "config")):
        if isinstance(value, str) and any(mark in value for mark in _ADDRESS_MARKS):
            raise InputError(
                f"{name} is {value!r}, an address: this program touches no network; copy the data "
                "to a local folder (or mount it there) and name that"
            )


def check_values(config: ml_collections.ConfigDict) -> None:
    """Raises InputError for a seed that not every generator takes, and for splits of no name."""
    if not 0 <= config.get("seed", 0) < 2**32:
        raise InputError(f"config.seed is {config.seed}; expected 0 or more and less than 2^32")
    splits = config.get("splits", None)
    named = splits.get("test", ("",)) if isinstance(splits, ml_collections.ConfigDict) else splits
    if named is not None and not len(named):
        raise InputError("config.splits names no split to work on; name one or more")


def _value_of_config(arguments: Sequence[str]) -> str:
    for position, argument in enumerate(arguments):
        match = re.fullmatch(r"--?config(?:=(.*))?", argument, re.DOTALL)
        if match and match[1]:
            return match[1]
        if match and match[1] is None and position + 1 < len(arguments):
            return arguments[position + 1]
    raise InputError("no --config: name the run's file, such as --config=configs/pretrain.py")


def _load(argument: str) -> ml_collections.ConfigDict:
    """The config of `file.py` or `file.py:variant`."""
    file, colon, variant = argument.partition(":")
    path = pathlib.Path(file)
    if not path.is_file():
        beside = sorted(str(found) for found in pathlib.Path("configs").glob("*.py"))
        raise InputError(f"--config={argument}: there is no file {file}{_nearest(file, beside)}")
    try:
        config = runpy.run_path(file)["get_config"](*([variant] if colon else []))
    except Exception as fault:
        if colon and isinstance(fault, KeyError) and fault.args == (variant,):
            raise InputError(
                f"{file} has no variant {variant!r}: those it has stand at its top"
            ) from fault
        steps = traceback.extract_tb(fault.__traceback__)
        lines = [step.lineno for step in steps if step.filename == file]
        line = getattr(fault, "lineno", None) or (lines or [1])[-1]
        reason = " ".join(str(fault).split())
        raise InputError(f"{file} line {line}: {type(fault).__name__}: {reason}") from fault
    if not isinstance(config, ml_collections.ConfigDict) or "program" not in config:
        raise InputError(f"{file} gives no config with a `program`: see configs/pretrain.py")
    return config


def _overridden(arguments: Sequence[str]) -> Iterator[str]:
    for argument in arguments:
        match = re.match(r"--?(?:no)?config\.([^=]+)", argument)
        if match:
            yield match[1]


def _check_field(config: ml_collections.ConfigDict, name: str) -> None:
    """Raises InputError, with the nearest name there is, unless the config has the field."""
    found, path = config, "config"
    for part in name.split("."):
        if not isinstance(found, ml_collections.ConfigDict):
            raise InputError(f"--config.{name}: {path} is {found!r}, which has no fields")
        # Elements of a sequence, as in `splits[0]`, are looked up by ml_collections.
        field = part.partition("[")[0]
        if field not in found:
            raise InputError(
                f"--config.{name}: {path} has no field {field!r}{_nearest(field, found)}; it has "
                f"{', '.join(sorted(found))}"
            )
        found, path = found[field], f"{path}.{field}"


def _leaves(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, ml_collections.ConfigDict):
        for name in tree:
            yield from _leaves(tree[name], f"{path}.{name}")
    elif isinstance(tree, (tuple, list)):
        for value in tree:
            yield from _leaves(value, path)
    else:
        yield path, tree


def _nearest(word: str, known: Any) -> str:
    found = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""
