"""Phrases of the prompt and their tokens."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inversion.errors import PhraseError
from inversion.phrases import find_phrase, phrases
from tests.tiny_models import PROMPT


def test_phrases_of_a_prompt():
    assert phrases(PROMPT) == ["red ball", "striped blue can", "wooden table"]
    assert phrases("a cup, an old-fashioned lamp; the dog's bowl") == ["cup", "old-fashioned lamp", "dog's bowl"]
    assert phrases("") == []


def test_whole_words_only():
    prompt = "a scarred car and a carpet"
    assert find_phrase(prompt, "car") == (10, 13)


@pytest.mark.parametrize("phrase", ["dog", "", "  ", "red can", "bal"])
def test_missing_phrase_lists_what_is_there(phrase):
    with pytest.raises(PhraseError, match=r'it names: "red ball", "striped blue can", "wooden table"'):
        find_phrase(PROMPT, phrase)


def test_phrase_named_twice():
    with pytest.raises(PhraseError, match="occurs 2 times"):
        find_phrase("a red ball and a blue ball", "ball")


SAME_WORDS = [
    ("桌子上的红球和蓝罐", "红球", "红球"),
    ("一个vase在桌上", "vase", "vase"),
    ("テーブルの上の赤いボール", "赤いボール", "赤いボール"),
    (unicodedata.normalize("NFD", "ガラスの瓶"), "ガラス", unicodedata.normalize("NFD", "ガラス")),
    ("빨간 공은 탁자 위에", "빨간 공", "빨간 공"),
    (unicodedata.normalize("NFD", "빨간 공은"), "빨간 공", unicodedata.normalize("NFD", "빨간 공")),
    ("a cafe\u0301 table", "caf\u00e9 table", "cafe\u0301 table"),
    ("a caf\u00e9 table", "cafe\u0301", "caf\u00e9"),
    ("a dog\u2019s bowl", "dog's bowl", "dog\u2019s bowl"),
    ("a dog's bowl", "dog\u2019s bowl", "dog's bowl"),
    ("a \u201cMing\u201d vase", '"Ming" vase', "\u201cMing\u201d vase"),
    ("a vase on a table", "\u201cvase\u201d", "vase"),
    ("black_vase, table", "black vase", "black_vase"),
    ("a black vase", "black_vase", "black vase"),
    ("a black\u00a0vase", "black vase", "black\u00a0vase"),
    ("a T\u2011shirt", "t-shirt", "T\u2011shirt"),
    ("a Straße", "STRASSE", "Straße"),
]


@pytest.mark.parametrize(("prompt", "phrase", "found"), SAME_WORDS)
def test_the_same_words_written_otherwise(prompt, phrase, found):
    start, end = find_phrase(prompt, phrase)
    assert prompt[start:end] == found


def test_signs_of_unspaced_scripts_are_counted_and_korean_words_begin_as_words():
    with pytest.raises(PhraseError, match="occurs 2 times"):
        find_phrase("红球和蓝球", "球")
    with pytest.raises(PhraseError, match="is not in the prompt"):
        find_phrase("축구공", "공")
    with pytest.raises(PhraseError, match="is not in the prompt"):
        find_phrase("a carpet_bag", "car")


def test_tags_are_listed_as_words():
    assert phrases("black_vase, wooden_table, dog\u2019s bowl") == ["black vase", "wooden table", "dog\u2019s bowl"]


def test_tokens_of_words_written_otherwise(tabletop):
    """Whatever a tokenizer makes of them, they lie between those of the words beside."""
    for prompt, phrase in (
        ("a cafe\u0301 and vase", "café"),
        ("a 红球和 and vase", "红球"),
        ("a black_egg and vase", "black egg"),
    ):
        found, last = tabletop.positions(prompt, phrase), tabletop.positions(prompt, "vase")
        assert found == tuple(range(found[0], found[-1] + 1))
        assert found[0] == 2
        assert found[-1] < last[0] - 1


def test_token_positions(model):
    assert model.positions(PROMPT, "red ball") == (5, 6)
    assert model.positions(PROMPT, "Striped  BLUE can") == (9, 10, 11)


def test_word_of_several_tokens(model):
    positions = model.positions("a photo of a xylophone and a ball", "xylophone")
    assert len(positions) > 1
    assert positions == tuple(range(positions[0], positions[-1] + 1))
    assert model.positions("a photo of a xylophone and a ball", "ball")[0] == positions[-1] + 3


def test_specials_are_never_included(model):
    everything = model.positions(PROMPT, PROMPT)
    assert everything[0] == 1
    assert everything[-1] == model.texts.length(PROMPT) - 2


def test_cut_off_phrase_is_said(model):
    with pytest.raises(PhraseError, match="beyond the 24 tokens"):
        model.positions("a " * 30 + "ball", "ball")


@given(st.text(max_size=60), st.text(max_size=10))
def test_any_text_gives_a_span_or_an_error(prompt, phrase):
    try:
        start, end = find_phrase(prompt, phrase)
    except PhraseError:
        return
    assert 0 <= start < end <= len(prompt)
    assert find_phrase(prompt[start:end], phrase) == (0, end - start)


@given(st.text(max_size=80))
def test_every_listed_phrase_is_made_of_the_prompts_words(prompt):
    composed = unicodedata.normalize("NFC", prompt)
    for phrase in phrases(prompt):
        assert all(word in composed for word in phrase.split(" "))
