"""Foreign text in a search expression stays one string of it."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.okta.query import any_of, literal, prefix_search, term_batches

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@given(ANY_TEXT)
def test_a_literal_is_one_json_string_that_means_the_text(text: str) -> None:
    written = literal(text)
    assert STRING.fullmatch(written)
    assert json.loads(written) == text


@given(st.text(st.characters(categories=["Cs", "Lu"])))
def test_half_characters_can_be_sent(text: str) -> None:
    literal(text).encode()


@pytest.mark.parametrize("text", ['" or id pr or "', "\\", '\\"', "') or (", "a\nb", "ß"])
def test_no_text_gets_out_of_its_quotes(text: str) -> None:
    assert STRING.sub("§", any_of("profile.login", (text,))) == "profile.login eq §"


@given(ANY_TEXT.filter(lambda text: text.split()))
def test_a_prefix_search_keeps_its_shape(text: str) -> None:
    shape = STRING.sub("§", prefix_search(text))
    one = "profile.login sw § or profile.email sw § or profile.firstName sw § or profile.lastName sw §"
    assert shape in (one, f"{one} or (profile.firstName sw § and profile.lastName sw §)")


def test_two_words_are_also_a_full_name() -> None:
    assert prefix_search(" Jane  van Do ").endswith(
        'or (profile.firstName sw "Jane" and profile.lastName sw "van Do")',
    )


def test_nothing_and_unknown_attributes_are_refused() -> None:
    for wrong in (lambda: prefix_search("  "), lambda: any_of("id", ()), lambda: any_of("id pr or id", ("a",))):
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(ValueError):
        list(term_batches("profile.password", ["x"]))


def test_several_attributes_each_get_a_term() -> None:
    assert any_of(("profile.login", "profile.email"), ["a"]) == 'profile.login eq "a" or profile.email eq "a"'


@given(
    st.lists(st.text(max_size=60), max_size=80),
    st.sampled_from(["id", ("profile.login", "profile.email")]),
    st.integers(1, 30),
    st.integers(50, 3000),
)
def test_batches_keep_every_value_and_both_bounds(
    values: list[str], attributes: str | tuple[str, ...], max_terms: int, max_bytes: int
) -> None:
    parts = list(term_batches(attributes, values, max_terms, max_bytes))
    assert [value for part in parts for value in part] == values
    each = 1 if isinstance(attributes, str) else len(attributes)
    for part in parts:
        assert part
        if len(part) > 1:
            assert len(part) * each <= max_terms
            assert len(quote(any_of(attributes, part), safe="")) <= max_bytes


def test_a_search_keeps_to_2_kb_unless_told_otherwise() -> None:
    logins = [f"{'ñ' * 40}{number}@acme.test" for number in range(60)]
    parts = list(term_batches("profile.login", logins))
    sizes = [len(quote(any_of("profile.login", part), safe="")) for part in parts]
    assert max(sizes) <= 2000
    assert all(size + sizes[0] / len(parts[0]) > 1900 for size in sizes[:-1]), "and no part is smaller than it must be"


def test_batches_are_full() -> None:
    assert [len(part) for part in term_batches("id", [f"00u{n:017}" for n in range(60)])] == [25, 25, 10]
