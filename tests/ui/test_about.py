"""About: the versions, and the licences of everything the program runs on."""

from importlib import metadata

from PySide6.QtWidgets import QApplication

from studio import __version__
from studio.ui import about
from studio.ui.about import AboutDialog, parts


def test_every_package_that_is_needed_is_there_with_its_licence():
    found = {part.name.casefold().replace("_", "-"): part for part in parts()}
    for name in ("python", "numpy", "onnx", "onnxruntime", "pyside6-essentials", "shiboken6"):
        assert name in found
        assert found[name].version
        assert found[name].licence, name
    assert "pytest" not in found, "what only developers need does not ship"
    assert "protobuf" in found, "what a needed package needs is needed"


def test_texts_are_read_from_what_is_installed():
    numpy = next(part for part in parts() if part.name == "numpy")
    assert "NumPy Developers" in numpy.texts()
    installed = metadata.distribution("numpy").locate_file("")
    assert all(str(path).startswith(str(installed)) for path in numpy.files)


def test_a_package_without_a_text_says_where_it_comes_from():
    part = about.Part("thing", "1.0", "MIT", (), "https://example.org/thing")
    assert "https://example.org/thing" in part.texts()
    assert "MIT" in part.texts()


def test_a_program_that_was_never_installed_still_names_python(monkeypatch):
    monkeypatch.setattr(about, "_OWN", "no-such-distribution")
    assert [part.name for part in parts()] == ["Python"]


def test_the_dialog_shows_the_text_of_the_chosen_package(open_window, qtbot):
    window = open_window()
    window.actions_.qt["about"].trigger()
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, AboutDialog)
    assert any(__version__ in label.text() for label in dialog.findChildren(about.QLabel))
    dialog.pages.setCurrentWidget(dialog.licences)
    names = [part.name for part in dialog.licences.parts]
    dialog.licences.list.setCurrentRow(names.index("numpy"))
    assert dialog.licences.text.toPlainText().startswith("numpy ")
    dialog.close()
