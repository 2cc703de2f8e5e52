"""What encoding a text without a mark is in."""

import pytest

from studio.train.tables.encodings import encoding_of

TEXTS = [
    ("gb18030", "标题,标签\n今天天气很好,正面\n股票大跌投资者恐慌,负面\n"),
    ("gb18030", "text,label\n1,好评\n2,差评\n3,好评\n"),
    ("big5", "標題,標籤\n今天天氣很好,正面\n股票大跌投資者恐慌,負面\n"),
    ("shift_jis", "タイトル,ラベル\n今日はとても良い天気です,良い\n株価が急落した,悪い\n"),
    ("euc_jp", "タイトル,ラベル\n今日はとても良い天気です,良い\n株価が急落した,悪い\n"),
    ("euc_kr", "제목,레이블\n오늘 날씨가 정말 좋네요,긍정\n주가가 폭락했다,부정\n"),
    ("cp1252", "título,año\nJosé comió en el café,1\nLa niña está aquí,2\n"),
    ("cp1252", "city,pop\nZürich,400000\nBern,1000\nGenf,200\n"),
    ("cp1252", "a,b\n“quoted”,1\ncost £5,2\nprice 5€,3\n"),
    ("cp1250", "název,štítek\nPříliš žluťoučký kůň,ano\n"),
    ("cp1251", "заголовок,метка\nПривет мир,да\nСегодня хорошая погода,нет\n"),
    ("utf-8", "a,b\n1,é\n2,好\n"),
    ("utf-16-le", "a,b\n1,hello\n"),
    ("ascii", "a,b\n1,x\n"),
]


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
@pytest.mark.parametrize("times", [1, 30])
def test_letters_are_what_they_were(encoding: str, text: str, times: int) -> None:
    data = (text * times).encode(encoding)
    assert data.decode(encoding_of(data, whole=True)) == text * times


def test_a_character_cut_off_at_the_end_is_no_other_encoding() -> None:
    data = ("好" * 100).encode()[:-1]
    assert encoding_of(data, whole=False) == "utf-8"
    assert encoding_of(data, whole=True) != "utf-8"
