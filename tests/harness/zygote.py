"""A process that has imported everything and forks a run of `main.py` whenever it is told to.

Each run is a process of its own, in a session of its own, which can be killed like any other; what
is saved is seconds of imports for each of them. A line of JSON on stdin starts a run:
`{"argv", "env", "umask", "fault", "terminal", "out", "err", "exit"}`; its exit status is written to
the file `exit` by the parent it is given, its process id to `exit`.pid.
"""

import importlib
import importlib.util
import json
import os
import pathlib
import signal
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
REPOSITORY = TESTS.parent
FAULTS = ("injections", "injections_world")
HEAVY = (
    *(f"ecgmae_jax.programs.{name}" for name in ("pretrain", "embed", "linear_probe", "finetune")),
    *(f"ecgmae_jax.programs.{name}" for name in ("report", "attribution", "preview", "verify")),
    "matplotlib.pyplot",
    "orbax.checkpoint",
    "tensorstore",
)


def load(name, path):
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def become(order):
    """Turns this process into `python main.py`, with a fault planted in it if one is named."""
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.umask(order["umask"])
    os.environ.update(order["env"])
    if order["terminal"]:
        # The first terminal that the leader of a session opens is the session's.
        files = [os.open(order["terminal"], os.O_RDWR)] * 2
    else:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        files = [os.open(order[name], flags, 0o644) for name in ("out", "err")]
    for number, file in zip((1, 2), files, strict=True):
        os.dup2(file, number)
    pathlib.Path(f"{order['exit']}.pid").write_text(str(os.getpid()))
    if order["fault"]:
        name, *arguments = order["fault"]
        (fault,) = [fault for m in FAULTS if (fault := getattr(sys.modules[m], name, None))]
        fault(*arguments)
    from absl import app

    main = sys.modules["main"]
    sys.argv = ["main.py", *order["argv"]]
    app.run(main.main, argv=sys.argv, flags_parser=main._parse_flags)


def supervise(order):
    child = os.fork()
    if child == 0:
        become(order)
    _, status = os.waitpid(child, 0)
    temporary = pathlib.Path(f"{order['exit']}.part")
    temporary.write_text(str(os.waitstatus_to_exitcode(status)))
    temporary.rename(order["exit"])
    os._exit(0)


def main():
    sys.path.insert(0, str(REPOSITORY))
    os.chdir(REPOSITORY)
    load("main", REPOSITORY / "main.py")
    for name in HEAVY:
        importlib.import_module(name)
    for name in FAULTS:
        load(name, TESTS / "faults" / f"{name}.py")

    print("ready", flush=True)
    for line in sys.stdin:
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG) == (0, 0):
                    break
            except ChildProcessError:
                break
        if os.fork() == 0:
            supervise(json.loads(line))


if __name__ == "__main__":
    main()
