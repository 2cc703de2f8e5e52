"""Small pieces that several panels are built of."""

from studio.ui.parts import IconButton
from studio.ui.theme import apply_theme


def ink(button):
    """The colour of the drawing."""
    image = button.icon().pixmap(32, 32).toImage()
    spots = ((x, y) for x in range(image.width()) for y in range(image.height()))
    return max((image.pixelColor(*spot) for spot in spots), key=lambda c: c.alpha()).name()


def test_a_drawing_follows_the_theme(qtbot, qapp):
    button = IconButton("export", "Export…")
    qtbot.addWidget(button)
    button.show()
    assert (button.toolTip(), button.accessibleName()) == ("Export…", "Export…")
    before = ink(button)
    apply_theme(qapp, "dark")
    assert ink(button) != before
