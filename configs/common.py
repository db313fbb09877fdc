"""Fragments that several configs share. Plain dicts: they turn into ConfigDicts when assigned."""

# Width, depth and heads of the ViT family: Dosovitskiy et al. 2021, table 1; Ti and S from
# Touvron et al. 2021, table 1.
VIT = {
    "ti": {"width": 192, "depth": 12, "heads": 3},
    "s": {"width": 384, "depth": 12, "heads": 6},
    "b": {"width": 768, "depth": 12, "heads": 12},
    "l": {"width": 1024, "depth": 24, "heads": 16},
    "h": {"width": 1280, "depth": 32, "heads": 16},
}

# Share of full scale: paper is near white and ink covers little of it, so ImageNet's statistics
# would leave most of the input range unused. Those of PTB-XL's training sheets, rounded.
SHEET_STATISTICS = {"mean": (0.87,), "std": (0.10,)}
# The same for sheets without a grid.
BLANK_STATISTICS = {"mean": (0.97,), "std": (0.13,)}
# What published encoders of photographs were trained with: red, green, blue.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# The default sheet: the whole landscape page at 1.8 px/mm.
SHEET = {
    "layout": "3x4+1",
    "height": 384,
    "width": 512,
    "channels": 1,
    "mm_per_s": 25.0,
    "mm_per_mv": 10.0,
    # The chest leads' share of mm_per_mv: 0.5 draws them at half, 10/5 mm/mV.
    "chest_gain": 1.0,
    "style": "red",
    "page": "letter",
}


def dataset(*, name: str, config: str, data_dir: str) -> dict:
    """Which built TFDS dataset a program reads."""
    return {"name": name, "config": config, "data_dir": data_dir}


def demo_dataset() -> dict:
    """The simulated recordings that `make demo` builds."""
    return dataset(name="simulated_ecg", config="sheet_small", data_dir="runs/demo/data")


def ptb_xl_dataset() -> dict:
    """PTB-XL as whole sheets, where `tfds build` puts it unless told otherwise."""
    return dataset(name="ptb_xl", config="sheet", data_dir="~/tensorflow_datasets")


def mae_decoder() -> dict:
    """The reference decoder and mask (He et al. 2022, section 4)."""
    return {
        "decoder_width": 512,
        "decoder_depth": 8,
        "decoder_heads": 16,
        "mask_ratio": 0.75,
        "norm_pix": True,
        "norm_pix_eps": 1e-6,
    }
