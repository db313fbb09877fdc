"""The artefacts of scans and photographs: what the strength of each is, and its limits."""

from typing import NamedTuple


class Artefact(NamedTuple):
    """What a strength means; it lies between `low` and `high`."""

    unit: str
    low: float
    high: float
    meaning: str


# Lengths are millimetres on the paper.
ARTEFACTS = {
    "rotation": Artefact("degrees", 0.0, 15.0, "angle between page and frame, either way"),
    "perspective": Artefact("degrees", 0.0, 20.0, "tilt of the page, seen from 40 cm"),
    "curl": Artefact("mm", 0.0, 10.0, "largest bend of a straight line"),
    "crop": Artefact("mm", 0.0, 40.0, "height of paper lost; of its width in proportion"),
    "margin": Artefact("mm", 0.0, 80.0, "height of desk or lid seen; of its width in proportion"),
    "texture": Artefact("fraction", 0.0, 0.1, "standard deviation of the paper's reflectance"),
    "yellowing": Artefact("fraction", 0.0, 0.8, "blue light the paper absorbs"),
    "fading": Artefact("fraction", 0.0, 0.95, "contrast of print and grid lost"),
    "crease": Artefact("fraction", 0.0, 0.5, "change of light at one to three folds"),
    "stain": Artefact("fraction", 0.0, 0.9, "blue light absorbed at a stain's rim"),
    "punch_holes": Artefact("mm", 2.0, 10.0, "diameter of two filing holes, 80 mm apart"),
    "pen": Artefact("mm", 0.1, 1.5, "width of a pen's line, bracket, tick or ring"),
    "handwriting": Artefact("mm", 0.5, 6.0, "height of small letters in a scribbled note"),
    "stamp": Artefact("fraction", 0.0, 1.0, "opacity of a stamp's ink"),
    "uneven_light": Artefact("fraction", 0.0, 0.9, "light lost from one corner to the other"),
    "shadow": Artefact("fraction", 0.0, 0.9, "light lost in a shadow with a soft edge"),
    "vignetting": Artefact("fraction", 0.0, 0.9, "light lost in the corners"),
    "exposure": Artefact("stops", 0.0, 3.0, "under-exposure"),
    "colour_cast": Artefact("fraction", 0.0, 0.6, "red gained against blue, or the reverse"),
    "focus_blur": Artefact("mm", 0.0, 2.0, "standard deviation of the Gaussian a point becomes"),
    "motion_blur": Artefact("mm", 0.0, 4.0, "way of the page while the shutter is open"),
    "moire": Artefact("fraction", 0.0, 0.3, "amplitude of the bands"),
    "sensor_noise": Artefact("levels of 255", 0.0, 40.0, "standard deviation of a pixel"),
    "colour_loss": Artefact("fraction", 0.0, 1.0, "colour lost; 1 is a grey copy"),
    "white_clipping": Artefact("fraction", 0.0, 0.9, "of the range that turns white"),
    "photocopy": Artefact("slope", 1.0, 20.0, "steepness of the copier's tone curve"),
    "fax": Artefact("lines/mm", 1.0, 16.0, "lines of a fax, black on white (3.85, 7.7, 15.4)"),
    "binarise": Artefact("fraction", 0.1, 1.0, "of the mean tone, below which all is black"),
    "jpeg": Artefact("quality", 1.0, 100.0, "quality of the file, on libjpeg's scale"),
}
