import pytest
from PySide6.QtCore import QByteArray, QEvent, QMimeData, QRect, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.layers import CATALOGUE, FROM_FILES
from studio.text import LANGUAGES, set_language
from studio.ui.palette import (
    _KIND,
    LAYER_MIME,
    Palette,
    Row,
    cut,
    found,
    layer_class,
    layer_of_hand,
)


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
        ("fully connected", "Dense"),
        ("全连接", "Dense"),
        ("长短期记忆", "LSTM"),
        ("max 2d", "MaxPooling2D"),
        ("gap1d", "GlobalAveragePooling1D"),
        ("BN", "BatchNormalization"),
        ("skip connection", "Add"),
    ],
)
def test_layers_are_found_by_name_letters_and_synonyms(qapp, words, first):
    assert found(words)[0] == first


def chinese(kind):
    """What people who speak Chinese call a layer: its synonyms in that script."""
    return [s for s in layer_class(kind).synonyms if any("\u4e00" <= c <= "\u9fff" for c in s)]


@pytest.mark.parametrize("kind", sorted(set(CATALOGUE) - set(FROM_FILES)))
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_layer_is_found_by_its_chinese_name_in_any_language(qapp, kind, code):
    set_language(code)
    assert chinese(kind), f"{kind} has no Chinese synonym"
    for name in chinese(kind):
        shared = [k for k in CATALOGUE if name in layer_class(k).synonyms]
        assert kind in found(name)[: len(shared)], name


def test_of_several_words_each_must_be_found(qapp):
    assert found("max qqzz") == []
    assert set(found("pool 2d")) >= {"MaxPooling2D", "AveragePooling2D"}
    assert "MaxPooling1D" not in found("pooling 2d")


def test_only_what_is_offered_is_looked_through(qapp):
    assert found("", {"LSTM", "Dense"}) == ["Dense", "LSTM"]
    assert found("l", {"LSTM", "Dense"})[0] == "LSTM"
    assert found("gru", {"LSTM"}) == []


def test_other_rows_come_first_and_are_picked(qtbot):
    rows = [
        Row("Ports", "→ head", "batch × 3", "Dense", "Core", 7),
        Row("Ports", "→ reader · x", "batch × 3", "LSTM", "Recurrent", 8),
    ]
    shown = Palette(kinds=["Dense", "GRU"], rows=rows)
    qtbot.addWidget(shown)
    assert [row.value for row in shown.rows()] == [7, 8]
    assert shown.kinds() == ["Dense", "GRU"]
    with qtbot.waitSignal(shown.picked) as picked:
        QTest.keyClick(shown.search, Qt.Key.Key_Return)
    assert picked.args == [7]
    QTest.keyClicks(shown.search, "reader")
    assert [row.value for row in shown.rows()] == [8]
    assert shown.kinds() == []
    with qtbot.waitSignal(shown.picked) as picked:
        QTest.keyClick(shown.search, Qt.Key.Key_Return)
    assert picked.args == [8]


def test_where_nothing_is_offered_that_is_said(qtbot):
    shown = Palette(kinds=[])
    qtbot.addWidget(shown)
    assert shown.model.index(0, 0).data() == "Nothing fits here."


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


@pytest.mark.parametrize(
    "said", [b"", b"Nothing", b"\xff\xfe", b"OnnxModel", b"Dense\0", b"D" * 10**6]
)
def test_what_another_program_calls_a_layer_is_none(said: bytes) -> None:
    """It ended in an error report."""
    data = QMimeData()
    data.setData(LAYER_MIME, QByteArray(said))
    assert layer_of_hand(data) == ""
    data.setData(LAYER_MIME, QByteArray(b"Dense"))
    assert layer_of_hand(data) == "Dense"
