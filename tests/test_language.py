"""In which languages people talk. All sentences are invented."""

from collections import Counter

import pytest

from pipeline import language

SAID = {
    "en": "We waited an hour in the rain for the bus, and when it came the driver would not let us in with the pram.",
    "de": "Wir haben eine Stunde im Regen auf den Bus gewartet, und dann wollte uns der Fahrer nicht hineinlassen.",
    "sw": "Tulisubiri basi kwa saa moja kwenye mvua, na lilipofika dereva hakutaka kutuingiza na mtoto wetu mdogo.",
    "lg": "Twalinda bbaasi okumala essaawa namba mu nkuba, naye bwe yajja omugoba waayo yagaana okututwala n'omwana.",
    "he": "חיכינו לאוטובוס שעה שלמה בגשם, וכשהוא הגיע הנהג לא הסכים שנעלה עם העגלה של התינוק שלנו.",
}


@pytest.mark.parametrize("tag", SAID)
def test_a_language_is_found(tag: str) -> None:
    assert set(language.spoken(SAID[tag] * 4)) == {tag}


def test_a_talk_in_two_languages_has_both() -> None:
    found = language.spoken(SAID["lg"] * 30 + SAID["en"] * 10)
    assert list(language.shares(found)) == ["lg", "en"]
    assert language.main_language(found) == "lg"
    assert 0.6 < language.shares(found)["lg"] < 0.9


@pytest.mark.parametrize("text", ["", "Mm-hm.", "12 34 " * 100, "?!", "\ud800" * 300])
def test_what_is_too_little_is_not_guessed(text: str) -> None:
    assert language.spoken(text) == Counter()
    assert language.told(Counter()) == ""


def test_a_long_text_is_looked_at_in_all_its_parts_and_not_longer_for_it() -> None:
    found = language.spoken(SAID["de"] * 500 + SAID["sw"] * 500)
    assert found.total() <= language.MOST
    assert 0.4 < language.shares(found)["sw"] < 0.6


def test_only_texts_mainly_in_another_language_differ() -> None:
    texts = [("a", {"de": 9, "en": 1}), ("b", {"en": 9, "de": 1}), ("c", {}), ("d", {"en": 5, "sw": 3, "de": 3})]
    assert language.differing("de-AT", texts) == ["b"]
    assert language.differing("nyn", texts) == []  # Runyankole is not among those that can be found


def test_tags_of_one_language_are_the_same() -> None:
    assert language.same("iw", "he")
    assert language.same("hr", "sr-Latn")
    assert not language.same("nl", "de")
