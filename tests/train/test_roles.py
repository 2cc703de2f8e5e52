"""What the columns of a table are guessed to be for."""

import numpy as np
import pytest

from studio.document.plan import Series
from studio.train.roles import LeftOut, alike, likely_series, likely_target, pixels, roles, task_of
from studio.train.tables import Table
from studio.train.tables.array_tables import table_of_arrays

ROWS = 400


def table(name="data.csv", **columns):
    return Table(name, {key: list(map(str, cells)) for key, cells in columns.items()})


def draws(seed=0):
    return np.random.default_rng(seed)


TEXTS = [f"some words about number {i} and more of it" for i in range(ROWS)]
PRICES = [f"{value:.2f}" for value in draws().normal(200, 30, ROWS)]
YES = draws(1).integers(0, 2, ROWS)


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (["yes", "no"] * 200, "binary"),
        (["0", "1"] * 200, "binary"),
        (["red", "green", "blue", "grey"] * 100, "classes"),
        ([str(i % 10) for i in range(400)], "classes"),
        ([str(i % 90) for i in range(400)], "number"),
        (PRICES, "number"),
        (["1.0", "2.0", "0.0", "1.0"] * 100, "classes"),
        (["same"] * 400, None),
        (TEXTS, None),
    ],
)
def test_what_telling_a_column_is(cells, task):
    assert task_of(table(x=cells), "x") == task


def test_the_target_is_known_by_its_name_or_stands_last():
    assert likely_target(table(a=PRICES, label=YES, b=YES)) == "label"
    assert likely_target(table("Spam.csv", spam=YES, words=PRICES, long=YES)) == "spam"
    assert likely_target(table(a=PRICES, b=YES, c=TEXTS)) == "b"
    assert likely_target(table(a=YES, b=PRICES)) == "b"
    assert likely_target(table(a=TEXTS)) == ""


def test_what_people_ask_for_by_name_comes_before_what_stands_last():
    port = ["S", "C", "Q", ""] * 100
    assert likely_target(table(survived=YES, age=PRICES, port=port)) == "survived"


def test_a_column_that_is_not_known_of_every_row_is_told_last():
    shirt, port = ["S", "M", "L"] * 134, ["S", "C", "Q", ""] * 100
    assert likely_target(table(age=PRICES, shirt=shirt[:400], port=port)) == "shirt"
    assert likely_target(table(age=TEXTS, port=port)) == "port"


def test_an_amount_that_parts_two_classes_gives_them_away():
    rng = draws(3)
    deaths = np.where(YES, rng.uniform(50, 900, ROWS), rng.uniform(0, 49, ROWS)).round(2)
    age = (deaths + rng.normal(0, 300, ROWS)).round(2)
    bad = table(deaths=deaths, down=-deaths, age=age, label=YES)
    left = roles(bad).left_out
    assert left == {"deaths": LeftOut("tells"), "down": LeftOut("tells")}


def test_columns_that_teach_nothing_are_left_out():
    found = roles(
        table(
            id=range(ROWS),
            key=[f"u{i}" for i in range(ROWS)],
            country=["DE"] * ROWS,
            notes=["", "", "late"] * (ROWS // 3) + [""],
            price=PRICES,
            text=TEXTS,
            popular=YES,
        )
    )
    assert found.target == "popular"
    assert found.inputs == ("price", "text")
    reasons = {name: left.reason for name, left in found.left_out.items()}
    assert reasons == {
        "id": "numbering",
        "key": "numbering",
        "country": "one_value",
        "notes": "empty",
    }


def test_a_count_of_something_is_no_number_of_a_row():
    counts = draws(2).permutation(ROWS) * 3
    assert "visits" in roles(table(visits=counts, popular=YES)).inputs


def test_what_gives_the_target_away_is_left_out():
    one, other = draws(3).choice(["ann", "bob"], ROWS), draws(4).choice(["ann", "bob"], ROWS)
    found = roles(table(a=TEXTS, by_a=one, by_b=other, same=(one == other).astype(int)))
    assert found.inputs == ("a",)
    assert found.left_out["by_a"] == LeftOut("tell_together", "by_b")
    told = roles(table(a=TEXTS, word=np.where(YES, "yes", "no"), popular=YES))
    assert told.left_out == {"word": LeftOut("tells")}


def test_what_only_helps_stays():
    helps = np.where(draws(5).random(ROWS) < 0.9, YES, 1 - YES)
    assert roles(table(helps=helps, text=TEXTS, popular=YES)).inputs == ("helps", "text")


def test_where_all_would_be_left_out_nothing_is():
    found = roles(table(copy=YES, popular=YES))
    assert (found.inputs, found.left_out) == (("copy",), {})


def test_names_that_differ_at_their_end_are_alike():
    groups = alike(["text_a", "title", "text_b", "question1", "question2", "question10"])
    assert groups == [
        ("text_a", "text_b"),
        ("title",),
        ("question1", "question2", "question10"),
    ]


def test_greys_in_columns_are_a_picture():
    greys = draws().integers(0, 256, (50, 64))
    columns = {f"p{i}": greys[:, i] for i in range(64)}
    found = table(digit=[i % 10 for i in range(50)], **columns)
    assert pixels(found, list(columns)) == (8, 8)
    assert pixels(found, list(columns)[:63]) is None
    assert likely_target(found) == "digit"
    assert roles(found).inputs == tuple(columns)
    large = table(**{**columns, "p5": greys[:, 5] * 2.5})
    assert pixels(large, list(columns)) is None


def test_arrays_are_told_from_labels():
    found = table_of_arrays(
        "digits.npz",
        {"image": np.zeros((60, 8, 8), np.uint8), "digit": np.arange(60) % 10},
    )
    assert roles(found).target == "digit"
    assert roles(found).inputs == ("image",)


def test_each_shop_is_a_series_of_its_own():
    days = [f"2024-01-{day:02}" for day in range(1, 29)]
    sales = [str(value) for value in draws(5).integers(0, 900, 3 * 28)]
    three = table(shop=["north"] * 28 + ["mid"] * 28 + ["south"] * 28, day=days * 3, sales=sales)
    assert likely_series(three) == Series(order="day", group="shop")
    assert likely_series(table(day=days, sales=sales[:28])) == Series(order="day")
    assert likely_series(table(sales=sales)) == Series()
