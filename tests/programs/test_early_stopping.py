import json
import types

import optax
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import early_stopping
from ecgmae_jax.programs.classifiers import Finetuned
from ecgmae_jax.programs.early_stopping import fit, is_exhausted, read_scores
from ecgmae_jax.programs.training_run import Job
from ecgmae_jax.training.loop import Every
from ecgmae_jax.training.mesh import make_mesh


@pytest.mark.parametrize(
    ("scores", "patience", "ended"),
    [
        ([0.5, 0.6, 0.7], 1, False),
        ([0.5, 0.6, 0.55], 1, True),
        ([0.5, 0.6, 0.55], 2, False),
        ([0.5, 0.6, 0.55, 0.58], 2, True),
        # As good as before is not better.
        ([0.6, 0.6, 0.6], 2, True),
        ([0.6, 0.5, 0.61], 2, False),
        ([0.6, 0.5, 0.4, 0.3], 0, False),
        ([], 1, False),
    ],
)
def test_patience_counts_evaluations_since_the_best(scores, patience, ended):
    # In any order: they are told apart by their steps.
    by_step = dict(reversed(list(enumerate(scores))))
    assert is_exhausted(by_step, patience=patience) is ended


def test_scores_are_read_up_to_the_last_saved_step(tmp_path):
    assert read_scores(tmp_path, metric="validation_auroc") == {}
    lines = [
        {"step": s, "loss": 1.0} | ({"validation_auroc": s / 100} if s % 20 == 0 else {})
        for s in range(10, 90, 10)
    ]
    text = "\n".join(map(json.dumps, lines)) + '\n{"step": 90, "validation_au'
    (tmp_path / "metrics.jsonl").write_text(text)
    assert read_scores(tmp_path, metric="validation_auroc") == {}
    for name in ("40", "60", "80.orbax-checkpoint-tmp-1"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    expected = {20: 0.2, 40: 0.4, 60: 0.6}
    assert read_scores(tmp_path, metric="validation_auroc") == expected


def job_of(*, total_steps=20, every=None):
    return Job(
        init_params=lambda key: {},
        first_state=lambda like: like,
        loss_fn=lambda params, batch, key: (0.0, {}),
        optimizer=optax.sgd(0.1),
        learning_rate=optax.constant_schedule(0.1),
        batches_from=lambda step: iter(()),
        evaluators=(),
        meta={},
        best_metric="validation_auroc",
        lowest_is_best=False,
        total_steps=total_steps,
        batch_size=4,
        flops_per_example=1.0,
        dtype="float32",
        accumulate=1,
        every=every or Every(log=1, evaluate=2, checkpoint=2),
    )


@pytest.fixture
def fit_to(monkeypatch, tmp_path):
    """A fit whose training finds the given scores, one every other step, and logs and saves."""

    def fit_to(scores, *, patience, stop_at=None, **changes):
        job, begun = job_of(**changes), read_scores(tmp_path, metric="validation_auroc")

        def train(job, *, workdir, mesh, seed):
            for step in range(max(begun, default=0) + 2, job.total_steps + 1, 2):
                values = {"validation_auroc": scores[step // 2 - 1]}
                with (workdir / "metrics.jsonl").open("a") as file:
                    print(json.dumps({"step": step} | values), file=file)
                (workdir / "checkpoints" / str(step)).mkdir(parents=True)
                if step == stop_at or job.enough(step, values):
                    break
            return types.SimpleNamespace(step=step)

        def load_finetuned(workdir, *, which):
            assert which == "best"
            found = read_scores(workdir, metric="validation_auroc")
            model = object.__new__(Finetuned)
            object.__setattr__(model, "step", max(found, key=found.get))
            return model

        monkeypatch.setattr(early_stopping.training_run, "train", train)
        monkeypatch.setattr(early_stopping, "load_finetuned", load_finetuned)
        fitted = fit(job, workdir=tmp_path, mesh=make_mesh(), seed=0, patience=patience)
        return fitted and fitted[1]

    return fit_to


SCORES = [0.5, 0.7, 0.6, 0.65, 0.64, 0.9, 0.8, 0.8, 0.8, 0.8]


def test_it_ends_where_patience_does_and_stays_ended(fit_to, capsys):
    ended = {"steps": 8, "scheduled_steps": 20, "best_step": 4}
    assert fit_to(SCORES, patience=2) == ended
    said = "ended early, at step 8 of 20: 2 evaluations in a row brought no better validation_auroc"
    assert said in capsys.readouterr().out
    # No score at all would be found now.
    assert fit_to([], patience=2) == ended
    assert said in capsys.readouterr().out
    # More patience goes on from there.
    assert fit_to(SCORES, patience=4) == {"steps": 20, "scheduled_steps": 20, "best_step": 12}
    assert "ended early" not in capsys.readouterr().out


def test_a_run_that_is_asked_to_stop_has_no_model_yet_and_goes_on(fit_to):
    assert fit_to(SCORES, patience=2, stop_at=6) is None
    # The evaluations before count on.
    assert fit_to(SCORES, patience=2) == {"steps": 8, "scheduled_steps": 20, "best_step": 4}


def test_the_best_state_has_to_be_saved(fit_to):
    with pytest.raises(InputError, match=r"evaluate=2 and every.checkpoint=4 the best state may"):
        fit_to(SCORES, patience=2, every=Every(log=1, evaluate=2, checkpoint=4))
