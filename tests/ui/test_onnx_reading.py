"""The bar that says which ONNX file is being read."""

from studio.ui.onnx_reading import OnnxReading


def test_a_long_name_does_not_make_it_wider_than_a_screen(open_window, tmp_path, qtbot):
    window = open_window()
    reading = OnnxReading(tmp_path / f"{'long ' * 45}.onnx", window)
    assert reading.bar.sizeHint().width() < 640
    assert "…" in reading.bar.labelText()
    reading.cancel()
    with qtbot.waitSignal(reading.destroyed):
        pass
