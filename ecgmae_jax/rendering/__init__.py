"""Recordings as pictures: paper, layouts, sheets and the function that draws them."""
