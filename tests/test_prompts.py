"""Prompts for sampling."""

import doctest
import importlib

import pytest

from realedit.sampling.prompts import object_prompt, phrase_with_appearance, setting_words

CAPTION = "a photo of a red can next to an egg on a wooden table in front of a wall"


def test_the_setting_is_what_follows_the_last_object():
    assert setting_words(CAPTION, ["red can", "egg"]) == " on a wooden table in front of a wall"
    assert setting_words(CAPTION, ["egg", "red can"]) == " on a wooden table in front of a wall"
    assert setting_words("a red can", ["red can"]) == ""


def test_a_setting_that_comes_first_is_kept_too():
    assert setting_words("on a wooden table a red can.", ["red can"]) == " with a wooden table"


@pytest.mark.parametrize(
    ("words", "prompt"),
    [
        ("orange can", "a photo of an orange can and a ball on a table"),
        ("striped blue can", "a photo of a striped blue can and a ball on a table"),
    ],
)
def test_objects_are_named_in_their_new_words(words, prompt):
    made = object_prompt({"red can": words, "ball": "ball"}, " on a table")
    assert made.prompt == prompt
    assert {phrase: prompt[slice(*span)] for phrase, span in made.spans.items()} == {"red can": words, "ball": "ball"}


def test_a_borrowed_look_keeps_the_objects_own_kind():
    assert phrase_with_appearance("red ball", "striped blue can") == "striped blue ball"
    assert phrase_with_appearance("ball", "vase") == "ball"


@pytest.mark.parametrize("module", ["realedit.sampling.prompts", "inversion.phrases"])
def test_the_examples_in_docstrings_hold(module):
    failed, tried = doctest.testmod(importlib.import_module(module))
    assert tried > 0
    assert failed == 0
