import pytest
from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.layers import CATALOGUE, FROM_FILES
from studio.text import set_language
from studio.ui.palette import _KIND, LAYER_MIME, Palette, cut, found


@pytest.fixture
def palette(qtbot):
    shown = Palette()
    qtbot.addWidget(shown)
    shown.resize(240, 500)
    shown.show()
    return shown


def test_names_too_long_are_cut_with_dots_and_whole_in_the_tooltip(palette):
    room, image = QRect(0, 0, 60, 20), QImage(10, 10, QImage.Format.Format_ARGB32)
    with QPainter(image) as painter:
        assert cut(painter, "Concatenate and more", room).endswith("…")
        assert cut(painter, "Add", room) == "Add"
    row = next(i for i in range(palette.model.rowCount()) if palette.model.item(i).data(_KIND))
    assert palette.model.item(row).text() in palette.model.item(row).toolTip()


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("de", "Dense"),
        ("LST", "LSTM"),
        ("cnct", "Concatenate"),
        ("fully", "Dense"),
        ("拼接", "Concatenate"),
        ("词向量", "Embedding"),
        ("sigmoid", "Activation"),
    ],
)
def test_layers_are_found_by_name_letters_and_synonyms(qapp, words, first):
    assert found(words)[0] == first


def test_nothing_is_found_for_nonsense_and_that_is_said(palette):
    palette.search.setText("qqzz")
    assert palette.kinds() == []
    assert "qqzz" in palette.model.index(0, 0).data()


def test_all_layers_are_listed_under_their_categories(palette):
    assert sorted(palette.kinds()) == sorted(set(CATALOGUE) - set(FROM_FILES))
    assert palette.model.rowCount() > len(palette.kinds())


def test_enter_chooses_the_best_and_arrows_walk(palette, qtbot):
    QTest.keyClicks(palette.search, "e")
    kinds = palette.kinds()
    with qtbot.waitSignal(palette.chosen) as chosen:
        QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert chosen.args == [kinds[0]]
    QTest.keyClick(palette.search, Qt.Key.Key_Down)
    with qtbot.waitSignal(palette.chosen) as chosen:
        QTest.keyClick(palette.search, Qt.Key.Key_Return)
    assert chosen.args == [kinds[1]]


def test_a_double_click_chooses(palette, qtbot):
    row = palette.kinds().index("LSTM")
    index = next(
        palette.model.index(i, 0)
        for i in range(palette.model.rowCount())
        if palette.model.index(i, 0).data() == "LSTM"
    )
    assert row >= 0
    at = palette.list.visualRect(index).center()
    QTest.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    with qtbot.waitSignal(palette.chosen) as chosen:
        QTest.mouseDClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert chosen.args == ["LSTM"]


def test_what_is_dragged_out_names_the_kind(palette):
    palette.search.setText("Dropout")
    data = palette.model.mimeData([palette.model.index(0, 0)])
    assert bytes(data.data(LAYER_MIME).data()) == b"Dropout"


def test_help_and_headings_follow_the_language(palette):
    set_language("zh_CN")
    QApplication.sendEvent(palette, QEvent(QEvent.Type.LanguageChange))
    assert palette.search.placeholderText() == "搜索层"
    assert palette.model.index(0, 0).data() == "输入与输出"
