"""Images to rows of patches and back, for any rectangular image and patch."""

from jaxtyping import Array, Shaped

from ecgmae_jax.errors import InputError


def patch_grid(image_size: tuple[int, int], patch_size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of patches in an image, both sizes being (height, width) in pixels.

    Raises:
        InputError: if the patches do not tile the image.
    """
    (height, width), (patch_height, patch_width) = image_size, patch_size
    if min(patch_size) < 1 or height % patch_height or width % patch_width:
        raise InputError(
            f"patches of {patch_height}x{patch_width} do not tile an image of {height}x{width} "
            "(height x width); change patch_size or image_size so that each side divides"
        )
    return height // patch_height, width // patch_width


def patchify(
    images: Shaped[Array, "b h w c"], *, patch_size: tuple[int, int]
) -> Shaped[Array, "b n p"]:
    """The patches of each image, row by row; values ordered patch row, patch column, channel."""
    batch, height, width, channels = images.shape
    rows, columns = patch_grid((height, width), patch_size)
    tiles = images.reshape(batch, rows, patch_size[0], columns, patch_size[1], channels)
    return tiles.transpose(0, 1, 3, 2, 4, 5).reshape(batch, rows * columns, -1)


def unpatchify(
    patches: Shaped[Array, "b n p"], *, image_size: tuple[int, int], patch_size: tuple[int, int]
) -> Shaped[Array, "b h w c"]:
    """The images whose patches these are; the inverse of `patchify`."""
    rows, columns = patch_grid(image_size, patch_size)
    tiles = patches.reshape(patches.shape[0], rows, columns, *patch_size, -1)
    return tiles.transpose(0, 1, 3, 2, 4, 5).reshape(patches.shape[0], *image_size, -1)
