"""The README's file tree names every file once, and its commands name files that exist."""

import re
import subprocess

SHOWN = ("ecgmae_jax", "configs", "data_builders", "benchmarks", "docs", "main.py", "Makefile")


def tracked(repository):
    listed = subprocess.run(
        ["git", "-C", str(repository), "ls-files", *SHOWN], capture_output=True, text=True
    ).stdout.split("\n")
    shown = [path for path in listed if path.endswith((".py", ".md", "Makefile"))]
    return {path for path in shown if "__init__" not in path}


def tree_of(text):
    """Paths in the README's tree, folders joined with the names below them."""
    block = text.split("## Files")[1].split("```")[1]
    folders, paths = [], set()
    for line in filter(str.strip, block.split("\n")):
        depth = (len(line) - len(line.lstrip())) // 2
        name = line.split()[0]
        folders = [*folders[:depth], name]
        if not name.endswith("/"):
            paths.add("".join(folders))
    return paths


def test_the_file_tree_is_that_of_the_repository(repository):
    shown = tree_of((repository / "README.md").read_text())
    there = tracked(repository)
    if there:  # A source archive without git has nothing to compare with.
        assert {path for path in shown if path.startswith(SHOWN)} == there


def test_commands_and_links_name_files_that_exist(repository):
    text = (repository / "README.md").read_text()
    named = re.findall(r"--config=(configs/\w+\.py)", text)
    named += re.findall(r"\]\(((?:docs|benchmarks)/[\w./]+)\)", text)
    named += re.findall(r"tfds build (data_builders/\w+)", text)
    assert len(named) > 10
    for path in named:
        assert (repository / path).exists(), path
