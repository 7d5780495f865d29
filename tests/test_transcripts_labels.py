import pytest

from pipeline.records import Role
from pipeline.transcripts.labels import turns
from pipeline.transcripts.speakers import is_moderator, is_name_like, is_sound, looks_like_label, role_of, speakers
from pipeline.transcripts.stamps import moment, seconds, times

Told = list[tuple[str, str]]


def told(text: str, *moderators: str) -> Told:
    return [(said.speaker, text[said.start : said.end]) for said in turns(text, moderators)]


def began(text: str, *moderators: str) -> list[float | None]:
    return [said.began for said in turns(text, moderators)]


DIALOGUE = [("Ann", "How was it?"), ("Bo", "Long, I must say."), ("Ann", "And then?"), ("Bo", "We went home.")]
LAYOUTS = {
    "colon": "Ann: How was it?\nBo: Long, I must say.\nAnn: And then?\nBo: We went home.\n",
    "blank lines": "Ann: How was it?\n\nBo: Long, I must say.\n\n\nAnn: And then?\n\nBo: We went home.\n",
    "spaced colon": "Ann : How was it?\nBo : Long, I must say.\nAnn :\tAnd then?\nBo:We went home.",
    "wide colon": "Ann：How was it?\nBo：Long, I must say.\nAnn：And then?\nBo：We went home.",
    "bold": "**Ann:** How was it?\n**Bo:** Long, I must say.\n**Ann**: And then?\n**Bo:** We went home.",
    "hash": "#Ann: How was it?\n#Bo: Long, I must say.\n#Ann: And then?\n#Bo: We went home.",
    "at": "@Ann: How was it?\n@Bo: Long, I must say.\n@Ann: And then?\n@Bo: We went home.",
    "square brackets": "[Ann] How was it?\n[Bo] Long, I must say.\n[Ann] And then?\n[Bo] We went home.",
    "curly brackets": "{Ann} How was it?\n{Bo} Long, I must say.\n{Ann} And then?\n{Bo} We went home.",
    "words below": "Ann:\nHow was it?\nBo:\nLong, I must say.\n\nAnn:\nAnd then?\nBo:\nWe went home.",
    "tab": "Ann\tHow was it?\nBo\tLong, I must say.\nAnn\tAnd then?\nBo\tWe went home.",
}
STAMPED = {
    "stamp before": "[00:00:01] Ann: How was it?\n[00:00:02] Bo: Long, I must say.\n[00:00:03] Ann: And then?\n"
    "[00:00:04] Bo: We went home.",
    "stamp after": "Ann (00:01): How was it?\nBo (00:02): Long, I must say.\n"
    "Ann (00:03): And then?\nBo (00:04): We went home.",
    "stamp behind": "Ann: [00:01] How was it?\nBo: [00:02] Long, I must say.\n"
    "Ann: [00:03] And then?\nBo: [00:04] We went home.",
    "otter": "Ann  0:01\nHow was it?\n\nBo  0:02\nLong, I must say.\n\nAnn  0:03\nAnd then?\n\n"
    "Bo  0:04\nWe went home.\n\n"
    "Transcribed by https://otter.ai\n",
    "teams": "Ann   0:01\nHow was it?\nBo   0:02\nLong, I must say.\nAnn   0:03\nAnd then?\nBo   0:04\nWe went home.",
    "stream": "0:0:1.000 --> 0:0:2.000\nAnn\nHow was it?\n0:0:2.000 --> 0:0:3.000\nBo\nLong, I must say.\n"
    "0:0:3.000 --> 0:0:4.000\nAnn\nAnd then?\n0:0:4.000 --> 0:0:5.000\nBo\nWe went home.",
    "maxqda": "00:00:01.0Ann: How was it?\n\n00:00:02.0Bo: Long, I must say.\n\n00:00:03.0Ann: And then?\n\n"
    "00:00:04.0Bo: We went home.",
    "atrain": "Ann\n[00:00:01] - How was it?\nBo\n[00:00:02] - Long, I must say.\nAnn\n[00:00:03] - And then?\n"
    "Bo\n[00:00:04] - We went home.",
    "zoom": "[Ann] 00:00:01\nHow was it?\n\n[Bo] 00:00:02\nLong, I must say.\n\n[Ann] 00:00:03\nAnd then?\n\n"
    "[Bo] 00:00:04\nWe went home.",
    "meet": "00:00:01\n\nAnn: How was it?\n\n00:00:02\n\nBo: Long, I must say.\n\n00:00:03\n\nAnn: And then?\n\n"
    "00:00:04\n\nBo: We went home.",
    "table": "Timespan\tSpeaker\tContent\n0:01\tAnn\tHow was it?\n0:02\tBo\tLong, I must say.\n0:03\tAnn\tAnd then?\n"
    "0:04\tBo\tWe went home.",
}


@pytest.mark.parametrize("layout", [*LAYOUTS, *STAMPED])
def test_every_layout_tells_the_same_dialogue(layout: str) -> None:
    assert told({**LAYOUTS, **STAMPED}[layout]) == DIALOGUE


@pytest.mark.parametrize("layout", STAMPED)
def test_stamps_tell_when_a_turn_began(layout: str) -> None:
    assert began(STAMPED[layout]) == [1.0, 2.0, 3.0, 4.0]


def test_closing_stamps_tell_when_a_turn_ended() -> None:
    text = "I: How was it? #00:00:05-4#\nB: Long. #00:00:09-1#\nI: And then? #00:00:11-0#\n"
    assert told(text) == [("I", "How was it?"), ("B", "Long."), ("I", "And then?")]
    assert [said.ended for said in turns(text, ())] == [5.4, 9.1, 11.0]


def test_a_stamp_inside_a_turn_stays_in_the_text() -> None:
    assert told("A: One [00:00:05] two.\nB: Three.\nA: Four.")[0] == ("A", "One [00:00:05] two.")


def test_a_turn_goes_on_over_lines_and_blank_lines() -> None:
    text = "P1: One.\nStill one.\n\nAnd still.\nP2: Two.\nP1: Three.\n"
    assert told(text)[0] == ("P1", "One.\nStill one.\n\nAnd still.")
    assert [said.line for said in turns(text, ())] == [1, 5, 6]


@pytest.mark.parametrize(
    "line",
    [
        "Note: this was loud",
        "we start at 8:30",
        "8:30 is early",
        "http://example.org/a is the page",
        "So here is what she said: go home",
        "what she needs: a room",
        "and he said: no",
        "Well, you know: it depends",
        "Question: does it matter?",
        "For example: the keys",
        "[laughs] yes",
        "[inaudible] yes",
        "Really? Yes: really",
        "C:\\notes was lost",
        "Problem: the lift",
    ],
)
def test_a_colon_or_bracket_in_talk_makes_no_speaker(line: str) -> None:
    text = f"P1: I was there.\n{line}\nP2: Me too.\nP1: And then?\nP2: Home.\n"
    assert told(text)[0] == ("P1", f"I was there.\n{line}")
    assert [speaker for speaker, _ in told(text)] == ["P1", "P2", "P1", "P2"]


def test_sounds_in_brackets_are_no_speakers_where_speakers_stand_in_brackets() -> None:
    text = "[Ann] How was it?\n[laughs] Well?\n[Bo] Good.\n[laughs] Yes.\n[Ann] So.\n[Bo] So.\n"
    assert told(text)[:2] == [("Ann", "How was it?\n[laughs] Well?"), ("Bo", "Good.\n[laughs] Yes.")]


def test_the_layout_with_most_labels_is_the_transcripts() -> None:
    text = "P1: One.\n[Ward A] Two.\nP2: Three.\n[Ward A] Four.\nP1: Five.\nA  1:20\nP2: Six.\nA  1:30\n"
    assert {speaker for speaker, _ in told(text)} == {"P1", "P2"}


@pytest.mark.parametrize("aside", ["Note: loud", "And he said: no", "[laughs] yes"])
def test_asides_that_come_back_are_still_no_speakers(aside: str) -> None:
    text = f"P1: I was there.\n{aside}\nP2: Me too.\n{aside}\nP1: And then?\n{aside}\n"
    assert {speaker for speaker, _ in told(text)} == {"P1", "P2"}


@pytest.mark.parametrize(
    "label",
    ["P3", "FG1-P3", "PSW4", "Psychiatrist 1", "NURSE", "Mary Achieng", "Dr. Auma", "Social worker", "Ответ 1", "护士"],
)
def test_who_speaks_once_is_a_speaker_beside_others(label: str) -> None:
    text = f"P1: I was there.\n{label}: So was I.\nP2: Me too.\nP1: And then?\n"
    assert (label, "So was I.") in told(text)


def test_two_codes_that_speak_once_are_a_dialogue() -> None:
    assert told("Moderator: How was it?\nP1: Good.\n") == [("Moderator", "How was it?"), ("P1", "Good.")]


def test_one_listed_moderator_is_proof() -> None:
    assert told("Zed: How was it?\nYes, how?\n\nOh well.\n\nSo.\n", "zed") == [
        ("Zed", "How was it?\nYes, how?\n\nOh well.\n\nSo.")
    ]
    assert told("the boss: Well?\nJane: Well.\n", "The Boss") == [("the boss", "Well?"), ("Jane", "Well.")]


def test_the_head_of_a_transcript_is_no_turn() -> None:
    head = "Interview with S1 and S2\n(S = Student; I = Interviewer)\nDate: 3 May\nHost: Jane Roe\n"
    text = f"{head}I: How was it?\nS1: Good.\nS2: Bad.\nI: So.\n"
    assert told(text) == [("I", "How was it?"), ("S1", "Good."), ("S2", "Bad."), ("I", "So.")]


def test_a_text_without_labels_has_a_turn_per_paragraph() -> None:
    text = "First it rained.\nThen not.\n\n\nThere is a note: none.\n \nThe end.\n"
    assert told(text) == [("", "First it rained.\nThen not."), ("", "There is a note: none."), ("", "The end.")]
    assert [said.line for said in turns(text, ())] == [1, 5, 7]


def test_fields_in_the_head_do_not_turn_an_essay_into_a_dialogue() -> None:
    essay = "\n\n".join(f"Then came day {n}, and it rained." for n in range(30))
    text = f"Interviewee: Jane Roe\nReach: many\n\n{essay}\n\nInterviewee: she is well.\n"
    assert {speaker for speaker, _ in told(text)} == {""}


def test_labels_at_the_end_of_a_text_do_not_lose_what_stands_above() -> None:
    ending = "P1: Yes.\nP2: No.\n" * 3
    essay = "\n\n".join(f"Then came day {n}, and it rained." for n in range(30))
    assert len(told(f"{essay}\n\n{ending}")) == 31


def test_a_label_without_words_is_no_turn() -> None:
    assert told("P1: One.\nP2:\nP1: Two.\nP2: Three.\n") == [("P1", "One."), ("P1", "Two."), ("P2", "Three.")]


def test_lines_may_be_numbered_by_paragraph() -> None:
    text = "P1: One.\nMore.\nP2: Two.\nP1: Three."
    assert [said.line for said in turns(text, (), (7, 7, 8, 9))] == [7, 8, 9]
    plain = "One.\nMore.\nTwo."
    assert [said.line for said in turns(plain, (), (1, 1, 2))] == [1, 2]


def test_long_lines_of_spaces_and_signs_are_refused_quickly() -> None:
    for sign in (" ", "\t", "*", "[", "#", ":", "1", ".", "a ", "(1:"):
        turns(sign * 20_000 + "\nP1: Yes." * 3, ("I",))


@pytest.mark.parametrize(
    ("label", "listed", "role"),
    [
        ("Moderator", ["moderator"], Role.MODERATOR),
        ("MODERATOR 2", ["Moderator"], Role.MODERATOR),
        ("I2", ["I"], Role.MODERATOR),
        ("Moderator 2", ["Moderator 1"], Role.PARTICIPANT),
        ("Mod", ["Moderator"], Role.PARTICIPANT),
        ("12", ["I"], Role.PARTICIPANT),
        ("", ["I"], Role.UNKNOWN),
    ],
)
def test_the_role_follows_the_list_of_moderators(label: str, listed: list[str], role: Role) -> None:
    assert role_of(label, listed) is role


def test_labels_are_short_and_no_sentences() -> None:
    assert looks_like_label("Peer support worker 3 (F)")
    assert not looks_like_label("one two three four five six")
    assert not looks_like_label("x" * 64)
    assert not looks_like_label("(laughs)")
    assert not looks_like_label("That was it. He")
    assert not looks_like_label("  ")
    assert is_name_like("Social worker")
    assert not is_name_like("Head of the nursing department")
    assert is_sound("phone rings") and is_sound("Laughter") and not is_sound("id1") and not is_sound("Mary")
    assert not is_moderator("", ["I"])


def test_nobody_speaks_without_evidence() -> None:
    assert speakers(["Maria", "Problem", "what she needs"], []) == frozenset()
    assert speakers(["P1", "Maria", "Problem", "P1"], []) == {"p1", "maria"}


@pytest.mark.parametrize(
    ("clock", "value"),
    [
        ("00:00:13", 13.0),
        ("1:02:03.5", 3723.5),
        ("02.34", 154.0),
        ("92:03", 5523.0),
        ("00:01:23-4", 83.4),
        ("0:0:5.100", 5.1),
        ("8", None),
        ("3:75", None),
        ("soon", None),
    ],
)
def test_clocks_are_seconds(clock: str, value: float | None) -> None:
    assert seconds(clock) == value


def test_cells_hold_seconds_or_clocks() -> None:
    assert [moment(cell) for cell in ("12", "12,5", "1.5", "00:01:00.250", "x", "")] == [
        12.0,
        12.5,
        1.5,
        60.25,
        None,
        None,
    ]
    assert times("(1:02)") == (62.0, None)
