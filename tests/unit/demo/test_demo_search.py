from __future__ import annotations

import pytest

from console.demo.search import (
    BadExpression,
    Both,
    Either,
    Index,
    Term,
    check_filter,
    check_search,
    holds,
    parse,
)

ROWS = [
    {"id": "1", "profile.login": "Anna@acme.test", "profile.lastName": "Ångström", "status": "ACTIVE"},
    {"id": "2", "profile.login": "anna.b@acme.test", "profile.lastName": None, "status": "SUSPENDED"},
    {"id": "3", "profile.login": "bo@acme.test", "profile.lastName": "Bo", "status": "ACTIVE"},
    {"id": "4", "profile.login": 'q"uo\\te@acme.test', "profile.lastName": "東海林", "status": "STAGED"},
]


@pytest.fixture
def index() -> Index:
    return Index(lambda attribute: [row[attribute] for row in ROWS])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('profile.login eq "ANNA@acme.test"', {0}),
        ('profile.login sw "anna"', {0, 1}),
        ('profile.login sw ""', {0, 1, 2, 3}),
        ('profile.login co "NA"', {0, 1}),
        ("profile.lastName pr", {0, 2, 3}),
        ('profile.lastName eq "ångström"', {0}),
        ('profile.lastName eq "angstrom"', set()),
        ('profile.lastName sw "東"', {3}),
        (r'profile.login eq "q\"uo\\te@acme.test"', {3}),
        ('status EQ "active" AND profile.login sw "a"', {0}),
        ('id eq "1" or id eq "2" and status eq "ACTIVE"', {0}),
        ('(id eq "1" or id eq "2") and status eq "SUSPENDED"', {1}),
        ('status lt "STAGED" or status gt "STAGED"', {0, 1, 2}),
        ('id ge "3"', {2, 3}),
        ('id le "2"', {0, 1}),
    ],
)
def test_an_index_finds(index: Index, text: str, found: set[int]) -> None:
    expression = parse(text)
    assert index.find(expression) == found


def test_and_binds_closer_than_or() -> None:
    a, b, c = (Term("id", "eq", value) for value in "abc")
    assert parse('id eq "a" or id eq "b" and id eq "c"') == Either((a, Both((b, c))))


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "id", "id eq", 'id eq "a', 'id eq "a" or', '(id eq "a"', 'id eq "a")', 'id ne "a"', 'id ew "a"',
        'not (id eq "a")', 'id eq a', '"id" eq "a"', 'id eq "a" id eq "b"', "id eq ';", r'id eq "\x"', "é eq 1",
        "(" * 60 + "id pr" + ")" * 60,
    ],
)  # fmt: skip
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(BadExpression):
        parse(text)


def test_search_takes_co_on_four_attributes_only() -> None:
    check_search(parse('profile.firstName co "a"'))
    for text in ('profile.title co "a"', 'status co "a"', 'nickname eq "a"'):
        with pytest.raises(BadExpression):
            check_search(parse(text))


def test_filter_takes_eq_and_times_only() -> None:
    check_filter(parse('status eq "ACTIVE" or lastUpdated gt "2026-01-01T00:00:00.000Z"'))
    for text in ('profile.login sw "a"', 'profile.title eq "a"', 'status gt "A"'):
        with pytest.raises(BadExpression):
            check_filter(parse(text))


def test_records_are_compared_as_they_are() -> None:
    record = {"a": ["x", "Y"], "b": []}
    assert holds(parse('a eq "Y"'), record.__getitem__)
    assert not holds(parse('a eq "y"'), record.__getitem__)
    assert not holds(parse("b pr"), record.__getitem__)
    assert holds(parse('b pr or a sw "x" and a co "Y"'), record.__getitem__)
