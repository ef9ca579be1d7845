"""Prompts for sampling."""

import pytest

from realedit.sampling.prompts import describe, dressed, setting_of

CAPTION = "a photo of a red can next to an egg on a wooden table in front of a wall"


def test_the_setting_is_what_follows_the_last_object():
    assert setting_of(CAPTION, ["red can", "egg"]) == " on a wooden table in front of a wall"
    assert setting_of(CAPTION, ["egg", "red can"]) == " on a wooden table in front of a wall"
    assert setting_of("a red can", ["red can"]) == ""


def test_a_setting_that_comes_first_is_kept_too():
    assert setting_of("on a wooden table a red can.", ["red can"]) == " with a wooden table"


@pytest.mark.parametrize(
    ("words", "prompt"),
    [
        ("orange can", "a photo of an orange can and a ball on a table"),
        ("striped blue can", "a photo of a striped blue can and a ball on a table"),
    ],
)
def test_objects_are_named_in_their_new_words(words, prompt):
    made = describe({"red can": words, "ball": "ball"}, " on a table")
    assert made.prompt == prompt
    assert {phrase: prompt[slice(*span)] for phrase, span in made.spans.items()} == {"red can": words, "ball": "ball"}


def test_a_borrowed_look_keeps_the_objects_own_kind():
    assert dressed("red ball", "striped blue can") == "striped blue ball"
    assert dressed("ball", "vase") == "ball"
