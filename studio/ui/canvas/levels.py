"""Levels of detail: the zooms, in pixels per unit of the scene, at which more is painted."""

NEAR = 0.6  # from here on everything
MIDDLE = 0.4  # shapes, sizes, outputs by name
FAR = 0.28  # names, kinds; below this, boxes and straight lines in a few calls for all of it
