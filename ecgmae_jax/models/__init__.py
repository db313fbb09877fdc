"""Vision transformers and masked autoencoders; knows neither meshes nor configurations.

Axis letters, the same in every annotation and docstring:

    b batch        n patches of an image    d width             t samples
    h, w image     v visible patches        p values per patch  l leads
    c channels     s tokens of a sequence   k classes
"""
