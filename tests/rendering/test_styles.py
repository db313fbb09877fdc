import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.grid import grid_picture
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.rendering.paper import Paper
from ecgmae_jax.rendering.styles import INKS, STYLES, styled_paper


def test_the_plain_style_is_the_plain_paper():
    assert styled_paper() == Paper()
    assert styled_paper("red", mm_per_s=50.0) == Paper(mm_per_s=50.0)


@pytest.mark.parametrize(
    ("style", "strongest"), [("red", 0), ("orange", 0), ("pink", 0), ("green", 1), ("blue", 2)]
)
def test_a_grid_has_the_colour_of_its_name(style, strongest):
    picture = grid_picture(make_sheet(height=425, width=550, channels=3, style=style))
    mean = picture.mean(axis=(0, 1))
    assert mean.argmax() == strongest
    assert mean.max() - mean.min() > 8


def test_grey_has_no_colour_and_blank_has_no_grid():
    grey = grid_picture(make_sheet(channels=3, style="grey"))
    assert (grey.max(axis=2) - grey.min(axis=2)).max() == pytest.approx(0)
    assert grey.std() > 5
    blank = grid_picture(make_sheet(channels=3, style="blank"))
    assert (blank == 255).all()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("ink", INKS)
def test_ink_stands_out_from_every_paper(style, ink):
    paper = styled_paper(style)
    for colour in (paper.paper_colour, paper.minor_colour, paper.major_colour):
        assert sum(colour) - sum(INKS[ink]) > 130


def test_unknown_styles_and_pages_list_the_known_ones():
    with pytest.raises(InputError, match=r"no paper 'purple': choose one of red, pink, orange"):
        styled_paper("purple")
    with pytest.raises(InputError, match=r"no paper 'a3': choose one of letter, letter portrait"):
        make_sheet(page="a3")
