"""Faults planted in a run: signals to itself at a marked place.

Nothing here is known to the package; a fault replaces a function of it, or of a library, by one
that first does what a machine may do.
"""

import os
import pathlib
import signal
import threading
import time

from ecgmae_jax.evaluation import publishing
from ecgmae_jax.programs import online_probe, training_run
from ecgmae_jax.training import (
    checkpoint_manager,
    checkpointer,
    skipping,
    steps,
)


def send(number, times=1):
    for _ in range(times):
        os.kill(os.getpid(), number)


def kill_after(seconds):
    alarm = threading.Timer(seconds, send, (signal.SIGKILL,))
    alarm.daemon = True
    alarm.start()


def at_step(step, action):
    """Calls `action` once the given step has been made and before the next one is."""
    see = skipping.SkippedSteps.see

    def seen(self, number, skipped):
        see(self, number, skipped)
        if number == step:
            action()

    skipping.SkippedSteps.see = seen


def signal_at_step(step, number, times=1):
    at_step(step, lambda: send(number, times))


def slow(seconds):
    see = skipping.SkippedSteps.see

    def seen(self, number, skipped):
        time.sleep(seconds)
        see(self, number, skipped)

    skipping.SkippedSteps.see = seen


def signal_in_evaluation(number):
    """In the first evaluation, which then goes on for a minute if it is not left."""
    watched = steps.watched

    def long(batches):
        for index, batch in enumerate(watched(batches)):
            yield batch
            if index == 0:
                send(number)
            time.sleep(20)

    steps.watched = long


def signal_in_probe(number):
    """While the probe of the first evaluation is fitted, which then takes a minute."""

    def long(*_):
        send(number)
        time.sleep(60)

    online_probe.probe_auroc = long


def signal_in_compilation(number):
    """While the first step is compiled."""
    compile_train_step = training_run.compile_train_step

    def compiled(step, *, like):
        function = compile_train_step(step, like=like)

        def first(*arguments):
            lowered = function.lower(*arguments)
            threading.Timer(0.05, send, (number,)).start()
            lowered.compile()
            nonlocal call
            call = function
            return function(*arguments)

        call = first
        return lambda *arguments: call(*arguments)

    training_run.compile_train_step = compiled


def signal_in_save(step, number):
    """While the step is written in the background, which then takes two seconds."""
    write_manifest = checkpoint_manager.write_manifest

    def slowly(folder):
        if folder.name.startswith(f"{step}."):
            send(number)
            time.sleep(2)
        write_manifest(folder)

    checkpoint_manager.write_manifest = slowly


def kill_in_save(step, place):
    """SIGKILL `early` (the first file of arrays is there), `before` or `after` the rename."""
    if place == "early":
        save = checkpointer.Checkpointer.save

        def saved(self, state, *, metrics):
            if int(state.step) == step:
                folder = self._folder / f"{step}{checkpoint_manager.UNFINISHED}"
                threading.Thread(target=_kill_at_first_file, args=(folder,), daemon=True).start()
            save(self, state, metrics=metrics)

        checkpointer.Checkpointer.save = saved
        return
    finalize = checkpoint_manager._StepWithManifest.finalize

    async def killed(self):
        if place == "before" and self.get().name.startswith(f"{step}."):
            checkpoint_manager.write_manifest(pathlib.Path(self.get()))
            send(signal.SIGKILL)
        await finalize(self)
        if place == "after" and self.get_final().name == str(step):
            send(signal.SIGKILL)

    checkpoint_manager._StepWithManifest.finalize = killed


def _kill_at_first_file(folder):
    while not any(path.is_file() for path in folder.glob("*/**/d/*")):
        time.sleep(0.0005)
    send(signal.SIGKILL)


def kill_in_removal():
    """SIGKILL when the first file of a step no longer kept is gone."""

    def removed(self):
        folder = self._folder / checkpoint_manager.DISCARDED
        for path in folder.rglob("*"):
            if path.is_file():
                path.unlink()
                send(signal.SIGKILL)

    checkpointer.Checkpointer._remove_discarded = removed


def kill_in_publication(count):
    """SIGKILL when so many of the results are in their place."""
    replace = publishing.os.replace
    done = []

    def replaced(source, target):
        if ".unfinished-" in str(source):
            done.append(target)
            if len(done) > count:
                send(signal.SIGKILL)
        replace(source, target)

    publishing.os.replace = replaced
