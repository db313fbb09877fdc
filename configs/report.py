r"""The clinical report of one or several models, from their predictions.csv files alone.

    python main.py --config=configs/report.py --workdir=runs/ptbxl/report
    python main.py --config=configs/report.py --workdir=<out> --config.label=death \
        --config.models=probe=runs/probe/predictions.csv \
        --config.models=fine-tuned=runs/finetune/predictions.csv
    python main.py --config=configs/report.py --workdir=<out> --config.label="" \
        --config.outcomes="('ejection_fraction','survival')" \
        --config.models=probe=runs/probe/predictions.csv

The first model is the one the report is about; the others are compared with it. A name is that of
the model in its file; the only model of a file may have any name. Thresholds and recalibration
need predictions of validation records (rows with `validation` in the column `part`).

Variants (--config=configs/report.py:<variant>): ptb_xl (default), demo.
"""

import ml_collections


def get_config(variant: str = "ptb_xl") -> ml_collections.ConfigDict:
    """The run named `variant`."""
    config = ml_collections.ConfigDict()
    config.program = "report"
    config.seed = 0
    folder, config.label = {
        "ptb_xl": ("runs/ptbxl", "superclass"),
        "demo": ("runs/demo", "condition"),
    }[variant]
    # Numbers that the files predict: values and times to an event. With these the label may be "".
    config.outcomes = ()
    probe, finetune = (f"{folder}/{name}/predictions.csv" for name in ("linear_probe", "finetune"))
    config.models = (f"MAE={probe}", f"random={probe}", f"PCA={probe}", f"fine-tuned={finetune}")
    # <name>=<file> of models judged elsewhere: thresholds and recalibration are fixed on the
    # validation records of this file, not on those of the model's own.
    config.development = ()
    config.bootstrap = {"resamples": 1_000, "confidence": 0.95}
    # Aims of the operating points, reached on the validation records; Youden's comes besides.
    config.sensitivities = (0.9, 0.95)
    # At which PPV and NPV are given: where the test is to be used, fewer may have the condition.
    config.prevalences = (0.01, 0.05, 0.2)
    # Thresholds of the decision curve: the risks at which a reader would act.
    config.decision = {"low": 0.01, "high": 0.6, "steps": 60}
    config.calibration_groups = 10
    config.age_edges = (40.0, 60.0, 80.0)
    # Files that may be given: a few-shot run's few_shot.csv, a build's rejections.csv, and a TOML
    # file with what only people can say (docs/report.md).
    config.few_shot = ""
    config.rejections = ""
    config.statements = ""
    # Records to look at, of each kind and label; folders with <record_id>.png, or none.
    config.cases = {"count": 2, "pictures": "", "attributions": ""}
    return config
