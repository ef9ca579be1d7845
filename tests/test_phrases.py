"""Phrases of the prompt and their tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inversion.errors import PhraseError
from inversion.phrases import find_phrase, phrases
from tests.conftest import PROMPT


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
    assert prompt[start:end].lower().split() == phrase.lower().split()


@given(st.text(max_size=80))
def test_every_listed_phrase_is_made_of_the_prompts_words(prompt):
    for phrase in phrases(prompt):
        assert all(word in prompt for word in phrase.split(" "))
