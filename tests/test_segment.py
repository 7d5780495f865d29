"""Sentences and segments, by example and as properties."""

import re
import sys
import unicodedata
import warnings
from itertools import pairwise
from pathlib import Path

import pytest
import spacy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.config import SegmentSettings
from pipeline.records import Role, Segment, Transcript, Turn, segment_id
from pipeline.segment import CHUNK, Splitter, load_splitter, segment, words

SENTENCES = {
    "en": [
        ["We met Dr. Okello and Mrs. Akello.", "They were kind.", "Prof. J. K. Barasa came later."],
        ["Some things help, e.g. Walking, i.e. moving at all.", "It costs approx. 20 dollars vs. 30 before."],
        ["I get up at 6 a.m. and I sleep at 10 p.m. as a rule.", "We stop at 5 p.m.", "Nobody works then."],
        ["I was in ward No. 5 on the left.", "Was it good?", "No.", "I did not like it."],
        ["She lives in the U.S. Army houses.", "I went to the U.S.", "It was cold."],
        ["It took 3.5 hours, from 8:30 to 10.30.", "We paid 1.200 for it.", "The next one is at 4.", "We left."],
        ["J. K. Rowling wrote it.", "He took vitamin C.", "It helped."],
        ["I don't know... maybe it was the heat.", "Well...", "We stopped.", "I… I could not."],
        ["She said 'Why me?' and left.", 'He asked "Is it safe?" before he signed.', '"I am fine."', "That was all."],
        ["“We can do it.”", "He smiled.", "“Really?” she said.", "“Yes!”", "Then silence."],
        ["What?!", "You did that?", "No way!!", "Fine."],
        ["I thought that the— no, wait.", "It was -- how do you say -- too late.", "We slept."],
        ["We waited (it was raining. Very hard.) at the gate.", "[laughs] So I went in.", "(We had no choice.)", "Ok."],
        ["It was hard.", "[crying] But I stayed. (…)", "Then it got better. [long pause]"],
        ["He has a Ph.D. from here.", "She has a Ph.D.", "They met in Vol. 3 of it, on p. 12, see Fig. 4."],
        ["we had nothing.", "then they came.", "i said ok... maybe.", "we ate."],
        ["Yeah.", "it was hard.", "So we, that is the dept. of health, met in the U.K. for a bit."],
        ["It hurts from 3 a.m. then until 4 p.m. again.", "Why?", "because of the rain, the wind etc. as always."],
        ["I liked the work.", "So we did it again."],
        ["Write to a.Bell@example.org or see www.example.org/a.Html now.", "Thanks."],
        ["It is him, Mr. So-and-so.", "My phone, pens, etc. were gone.", "I bring food, water, etc.", "Then I wait."],
        ["1. We meet first.", "We talk.", "It went on until 5.", "Then he left."],
    ],
    "de": [
        ["Das ist z.B. Montag so.", "Oder z. B. Ingwer, d.h. scharf, d. h. Sachen für Tee.", "Das war alles."],
        ["Wir waren u.a. Patienten dort.", "Man trifft u. a. Pfleger.", "Sie war Ärztin bzw. Pflegerin."],
        ["Ich war bei Dr. med. Sommer und bei Prof. Winter.", "Frau Dr. Herbst kam.", "Sie half mir."],
        ["Es war am 3. Mai.", "Der 2. Termin fiel aus.", "Am 3. Tag ging es, im 19. Jahrhundert nicht."],
        ["Das dauerte ca. Zwei bis drei Stunden.", "Zimmer Nr. 5 war frei.", "Lies S. 12 und Abs. 3 dort."],
        [
            "Es kostet 1.200 Euro.",
            "Das sind 3,5 Prozent.",
            "Wir kamen um 10.30 Uhr.",
            "Um 8:30 war zu.",
            "Es waren 5.",
            "Dann ging ich.",
        ],
        ["Sie sagte „Warum ich?“ und ging.", "„Gut.“", "Er lachte.", "„Nein!“, rief sie.", "„Wir gehen.“ sagte er."],
        ["»Komm her!«", "Ich kam.", "«Was ist das?»", "Sie fragte »Wozu?« und schwieg."],
        ["Ich weiß nicht... vielleicht schon.", "Na ja…", "Wir hörten auf.", "Und dann… dann war Schluss."],
        ["Echt?!", "Das glaube ich nicht!!", "Doch.", "Ach so."],
        ["Das war in der Klinik (Haus B. Zweiter Stock.) damals.", "[lacht] Ja. (…)", "Ich meine das so."],
        ["Ich dachte, dass die— nein, warte.", "Es war – wie sagt man – zu spät.", "Er kam nicht."],
        ["Äpfel, Brot usw. waren da.", "Wir kauften Milch usw.", "Das reichte.", "Ggf. Freitag noch einmal."],
        ["Es geht evtl. Montag, inkl. Frühstück und ggf. Bus.", "Vgl. Kap. 4 und Abb. 2.", "Fertig."],
        ["Vom 1. bis zum 3. Juni war zu.", "Am 3.5. Dienstag war ich dort.", "Bis zum 3.", "Danach ging es."],
        ["Über uns wohnt H. Maier.", "Ändern kann man das nicht.", "Übrigens war es gut."],
    ],
    "he": [
        ["פגשתי את ד״ר כהן ואת פרופ' לוי.", "הם היו נחמדים.", "היינו שם שעה."],
        ["קנינו לחם, חלב וכו' בשוק.", "היו שם תפוחים, אגסים וכו'.", "חזרנו הביתה."],
        ['זה היה בתל אביב ע"י הים.', "למה באת?", "לא יודע!", "ככה."],
        ["זה עלה 3.5 שקלים.", "באנו ב-8:30 בבוקר.", "אחר כך הלכנו."],
        ["אני לא יודע... אולי מחר.", "טוב.", "נלך עכשיו."],
        ["ראו עמ. 12 בספר.", "זה מס. 5 ברשימה.", "פרופ. לוי כתב אותו.", "מה?!", "כן."],
        ['היא שאלה "למה אני?" והלכה.', "אף אחד לא ענה.", '"כן."', "זה הכול."],
        ["היינו (זה היה מזמן. מאוד.) בבית.", "[צוחקת] אז הלכתי.", "א. ב. יהושע כתב."],
    ],
    "sw": [
        ["Tulikutana na Bw. Juma na Bi. Asha.", "Walikuwa wazuri.", "Dkt. Mushi alikuja baadaye."],
        ["Tulinunua mchele, maharage n.k. sokoni.", "Kuna ndizi, chai n.k.", "Tulirudi nyumbani."],
        ["Kuna njia, k.m. Kutembea kila siku.", "Mhe. Waziri alisema hivyo.", "Ni kweli?", "Ndiyo!"],
        ["Niliamka saa 2.30 asubuhi.", "Bei ni Tsh. 500 kwa kilo.", "Chumba Na. 5 ni changu.", "Asante."],
        ["Sijui... labda kesho.", "Sawa...", "Tuliacha.", "Nini?!", "Hapana."],
        ["Alisema 'Kwa nini mimi?' na akaondoka.", "“Sawa.”", "Ng'ombe wa jirani alipotea.", "Basi."],
        ["Tulingoja (mvua ilinyesha. Sana.) nje.", "[anacheka] Tukaingia.", "J. M. Mwangi alikuwepo."],
    ],
    "lg": [
        ["Twasisinkana Omw. Mukasa ne Omuk. Nakato.", "Baali balungi.", "Dr. Ssemwanga yajja."],
        ["Ng'enda mu kibuga.", "N'abaana bajja?", "Ye!", "Kale."],
        ["Owek. Namwama yayogera.", "Twamuwulira.", "Kyali kirungi nnyo."],
        ["Simanyi... oba enkya.", "Kale...", "Twalekera awo.", "Ki?!", "Nedda."],
        ["Kyatwala essaawa 3.5 zokka.", "Twajja ku 8:30.", "Twasasula Ush. 5000 leero."],
        ["Yagamba nti 'Lwaki nze?' n'agenda.", "“Weebale.”", "[aseka] Ne tuyingira.", "P. K. Kato yaliwo."],
        ["Twalinda (enkuba yatonnya. Nnyo.) wabweru.", "Oluvannyuma twagenda."],
    ],
    "hi": [["हम गए।", "डॉ. शर्मा आए।", "क्या हुआ?", "कुछ नहीं।"]],
    "ar": [["ذهبنا إلى هناك.", "لماذا؟", "لا أعرف!", "د. أحمد قال ذلك."]],
    "zh": [["我们去了。", "为什么？", "不知道！"]],
    "am": [["ሄድን።", "ለምን?", "አላውቅም።"]],
}
CASES = [
    pytest.param(lang, case, id=f"{lang}{n}") for lang, cases in SENTENCES.items() for n, case in enumerate(cases, 1)
]


def cut(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in load_splitter(language)(text)]


@pytest.mark.parametrize(("language", "sentences"), CASES)
def test_sentences_joined_by_a_space_come_apart_again(language: str, sentences: list[str]) -> None:
    assert cut(" ".join(sentences), language) == sentences


GLUED = [
    ("I liked the work.So we stayed.", ["I liked the work.", "So we stayed."]),
    ("Was it good?I think so.", ["Was it good?", "I think so."]),
    ("I asked Dr.Smith in the U.S.A. and the e.V. there.", ["I asked Dr.Smith in the U.S.A. and the e.V. there."]),
    ("Write to a.Bell@example.org now.", ["Write to a.Bell@example.org now."]),
    ("So...What now, I...I do not know.", ["So...What now, I...I do not know."]),
]


@pytest.mark.parametrize(("text", "sentences"), GLUED)
def test_a_missing_space_is_seen_unless_it_belongs_there(text: str, sentences: list[str]) -> None:
    assert cut(text) == sentences


def test_a_blank_line_ends_a_sentence_and_a_line_end_does_not() -> None:
    assert cut("we went to\nthe river\n\nThere we sat") == ["we went to\nthe river", "There we sat"]
    assert cut("The river was\n\nfar away.") == ["The river was\n\nfar away."]


def test_a_list_keeps_its_numbers() -> None:
    assert cut("1. We meet.\n2. We talk.\n3. They leave.") == ["1. We meet.", "2. We talk.", "3. They leave."]


@pytest.mark.parametrize("text", ["", " \n ", "😀😀", "...", "\0", "\u200b", "(((", "«»", "?!", "a" * 50_000])
def test_odd_texts_are_no_trouble(text: str) -> None:
    spans = load_splitter("en")(text)
    assert [text[start:end] for start, end in spans] == ([text.strip()] if text.strip() else [])


def test_half_of_a_surrogate_pair_is_no_trouble() -> None:
    assert cut("We went\ud800. Then we ate.") == ["We went\ud800.", "Then we ate."]


@pytest.mark.parametrize("mark", ["(", ".", '"', "'", "😀", ". ", "? ", "( ", "a.", "a. ", "<a", "*a ", "\n", "a\n\n"])
def test_a_long_row_of_marks_takes_no_long_time(mark: str) -> None:
    text = mark * 20_000  # spaCy alone takes minutes for the brackets
    covered = sum(len(re.sub(r"\s", "", text[start:end])) for start, end in load_splitter("en")(text))
    assert covered == len(re.sub(r"\s", "", text))


def test_a_text_too_long_for_spacy_is_cut_nowhere_else() -> None:
    sentence = "We went to the market and bought some food."
    text = " ".join([sentence] * (1_100_000 // len(sentence)))
    assert len(text) > 1_000_000 > CHUNK
    assert set(cut(text)) == {sentence}


def test_a_language_tag_is_reduced_and_an_unknown_one_does_no_harm() -> None:
    assert load_splitter("en-GB") is load_splitter("EN_us") is load_splitter("en") is load_splitter("eng")
    assert load_splitter("he-IL").language == load_splitter("iw").language == "he"
    assert load_splitter("sw-TZ").name == "xx rules"
    for odd in ("", "qq", "x", "english", "th", "ja-JP", "mul", "??"):
        assert cut("One thing. Another.", odd) == ["One thing.", "Another."]


def test_a_language_without_tables_goes_by_small_letters() -> None:
    assert cut("Eravamo circ. cento. Poi era tardi.", "it") == ["Eravamo circ. cento.", "Poi era tardi."]


MODEL = """
import spacy
from spacy.language import Language

@Language.component("breaks")
def breaks(doc):
    for token in doc:
        token.is_sent_start = token.text == "kaj"
    return doc

def load(**settings):
    if {broken}:
        raise OSError("made for another version")
    nlp = spacy.blank("xx", meta={{"version": "1.2"}})
    nlp.add_pipe("breaks", name="senter")
    return nlp
"""


def install(folder: Path, name: str, *, broken: bool) -> None:
    """Write a trained pipeline as pip would lay it out."""
    (folder / f"{name}.py").write_text(MODEL.format(broken=broken))
    info = folder / f"{name}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[spacy_models]\n{name} = {name}\n")


def test_an_installed_trained_pipeline_serves_and_a_broken_one_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "eo_core_aaa", broken=True)
    install(tmp_path, "eo_core_tiny", broken=False)
    install(tmp_path, "eo_aaa_web", broken=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    splitter = load_splitter("eo")
    assert splitter.name == "eo_core_tiny 1.2"
    text = "mi iris hejmen kaj mi dormis. Dr. Kato venis. Ni ridis."
    assert [text[start:end] for start, end in splitter(text)] == [
        "mi iris hejmen",
        "kaj mi dormis.",
        "Dr. Kato venis.",
        "Ni ridis.",
    ]


def test_loading_a_language_warns_of_nothing() -> None:
    with warnings.catch_warnings(action="error"):
        for language in ("en", "de", "he", "sw", "lg", "it"):
            load_splitter(language)
    assert "spacy" in sys.modules
    assert spacy.blank("xx").max_length > CHUNK


WORDS = [
    ("", 0),
    ("don't re-use mother-in-law's", 3),
    ("ng'ombe n’abaana", 2),
    ("ד״ר כהן ופרופ' לוי, צה\"ל", 5),
    ("שָׁלוֹם", 1),
    ("हिन्दी में", 2),
    ("3.5 1.200 10:30", 3),
    ("[laughs] Yes.", 1),
    ("(pause) ((incomprehensible)) <noise> *sighs* {cough} Yes", 1),
    ("(…) yes", 1),
    ("(we had no choice at all)", 6),
    ("-- 😀 …", 0),
    ("我们去了市场", 3),
    ("ผมไปตลาด", 2),
]


@pytest.mark.parametrize(("text", "count"), WORDS)
def test_words_are_counted_as_people_would(text: str, count: int) -> None:
    assert words(text) == count


def transcript(*turns: str | tuple[str, str], roles: dict[int, Role] | None = None) -> Transcript:
    """Make a transcript with a label before every turn; a pair is a turn of a pre-segmented file, with its name."""
    text, made = "", []
    for index, told in enumerate(turns):
        name, said = (None, told) if isinstance(told, str) else told
        text += "P: "
        role = (roles or {}).get(index, Role.PARTICIPANT)
        start, end = len(text), len(text) + len(said)
        made.append(Turn(speaker="P", role=role, start=start, end=end, line=index + 1, segment=name))
        text += said + "\n"
    return Transcript(site="S", name="d", source="d.txt", language="en", text=text, turns=tuple(made))


def segments(told: Transcript, *, most: int = 120, fewest: int = 4) -> list[Segment]:
    return segment(told, load_splitter("en"), SegmentSettings(max_words=most, min_words=fewest))


def sizes(text: str, *, most: int, fewest: int = 4) -> list[int]:
    return [words(found.text) for found in segments(transcript(text), most=most, fewest=fewest)]


def talk(*lengths: int) -> str:
    return " ".join(" ".join(["Word"] + ["word"] * (length - 1)) + "." for length in lengths)


def test_a_short_turn_is_one_segment_with_its_name_and_place() -> None:
    told = transcript("Ok.", " We sat down. Then we talked. ")
    assert segments(told) == [
        Segment(
            id=segment_id(told.id, 11, 39),
            transcript=told.id,
            name="t002s1",
            turn=1,
            start=11,
            end=39,
            text="We sat down. Then we talked.",
        )
    ]


def test_back_channels_give_nothing_and_noise_does_not_save_them() -> None:
    assert not segments(
        transcript("Mm-hmm.", "[laughs and claps hands] Yes.", "((incomprehensible)) I (long pause) do.", "")
    )
    assert len(segments(transcript("Yes, I did so."))) == 1


def test_moderators_give_nothing_and_unknown_speakers_do() -> None:
    long = "And what did you do after that?"
    found = segments(
        transcript(long, long, long, ("m1", long), roles={0: Role.MODERATOR, 1: Role.UNKNOWN, 3: Role.MODERATOR})
    )
    assert [one.name for one in found] == ["t002s1", "t003s1"]


def test_a_turn_that_is_a_segment_in_its_file_is_never_cut_or_skipped() -> None:
    found = segments(transcript(("r1", "Ok."), ("r2", talk(*[20] * 20)), ("", "[laughs]"), ("r4", "  ")))
    assert [(one.name, words(one.text)) for one in found] == [("r1", 1), ("r2", 400), ("", 0)]


def test_a_long_turn_is_cut_into_parts_of_like_size_at_ends_of_sentences() -> None:
    assert sizes(talk(*[10] * 20), most=120) == [100, 100]
    assert sizes(talk(*[10] * 12), most=120) == [120]
    assert sizes(talk(*[7] * 50), most=120) == [119, 119, 112]
    assert sorted(sizes(talk(*[10] * 25), most=120)) == [80, 80, 90]


def test_a_long_sentence_stays_whole_up_to_twice_the_limit() -> None:
    assert sizes(talk(10, 30, 10), most=20) == [10, 30, 10]
    assert sizes(talk(40), most=20) == [40]


def test_a_far_too_long_sentence_is_cut_at_clauses_or_else_between_words() -> None:
    assert sorted(sizes("Word " + "word " * 99 + "end.", most=20)) == [16, 17, 17, 17, 17, 17]
    clauses = "We " + ", ".join("went there and came back again so" for _ in range(10)) + "."
    found = [one.text for one in segments(transcript(clauses), most=20)]
    assert all(text.endswith((",", ".")) and words(text) <= 20 for text in found)
    assert "".join(found).replace(" ", "") == clauses.replace(" ", "")


def test_a_semicolon_is_a_better_place_than_a_comma() -> None:
    text = "Word " + "word " * 11 + "word; word, " + "word " * 13 + "word, " + "word " * 13 + "end."
    assert [words(one.text) for one in segments(transcript(text), most=20)] == [13, 15, 14]


def test_noise_is_not_cut_apart() -> None:
    found = segments(transcript("we went there [laughs, then cries: a lot] and " * 20), most=20)
    assert len(found) > 3
    assert all(one.text.count("[") == one.text.count("]") for one in found)


def test_a_letter_is_not_cut_from_its_marks() -> None:
    found = segments(transcript("กกิ" * 200), most=20)
    assert len(found) > 3
    assert all(unicodedata.category(one.text[0]) == "Lo" for one in found)


def test_a_tiny_rest_joins_its_neighbour() -> None:
    assert sizes(talk(20, 2), most=20) == [22]
    assert sizes(talk(2, 20), most=20) == [22]
    assert sizes(talk(20, 4), most=20) == [20, 4]
    assert sizes(talk(10, 4), most=20, fewest=15) == []
    assert sizes("we " * 24, most=5, fewest=5) == [5, 5, 5, 5, 4]


def test_words_without_any_space_are_cut_too() -> None:
    found = segments(transcript("word," * 100), most=20)
    assert [words(one.text) for one in found] == [20] * 5
    assert sizes("-".join(["word"] * 100), most=20, fewest=1) == [1]


def test_the_words_of_a_transcript_are_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Transcript] = []

    def identify(told: Transcript) -> str:
        asked.append(told)
        return "an id"

    monkeypatch.setattr(Transcript, "id", property(identify))
    told = transcript(*[talk(10)] * 50)
    assert len(segments(told)) == 50
    assert len(asked) == 1


def test_a_name_counts_all_turns_and_the_segments_of_the_turn() -> None:
    found = segments(transcript("Ok.", talk(*[10] * 4)), most=20)
    assert [one.name for one in found] == ["t002s1", "t002s2"]


ODD = st.text(st.sampled_from("abAB.?!…,;:-–—'\"“”„«»()[]*<1 \n\tכ؟。กि\u200b\0😀\u3000"))
PIECES = "we went Dr. e.g. No. 5 home. Then I said: 'why?' and, so; [laughs] (pause) Mary... but U.S. A (not so)"
PROSE = st.lists(st.sampled_from(PIECES.split())).map(" ".join)
LONG = st.builds(lambda one, other, times: f"{one} {other} " * times, PROSE, PROSE, st.integers(1, 20))
TURNS = st.lists(st.one_of(ODD, PROSE, LONG, st.text(max_size=40)), max_size=6)
LANGUAGES = st.sampled_from(["en", "de", "he", "sw", "lg", "ar", "zh", "qq"])


@settings(max_examples=100, deadline=None)
@given(text=st.one_of(ODD, PROSE, LONG, st.text()), language=LANGUAGES)
@example(text="„", language="de")
def test_sentences_cover_everything_but_space(text: str, language: str) -> None:
    spans = load_splitter(language)(text)
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert re.sub(r"\s", "", "".join(text[start:end] for start, end in spans)) == re.sub(r"\s", "", text)
    assert load_splitter(language)(text) == spans


def any_cut(text: str) -> list[tuple[int, int]]:
    """Split at every space: a splitter that is as bad as the rules allow."""
    return [found.span() for found in re.finditer(r"\S+", text)]


@settings(max_examples=100, deadline=None)
@given(
    turns=TURNS,
    roles=st.lists(st.sampled_from(Role), min_size=6, max_size=6),
    most=st.integers(5, 30),
    fewest=st.integers(1, 12),
    splitter=st.sampled_from([load_splitter("en"), any_cut]),
)
def test_segments_of_any_talk(turns: list[str], roles: list[Role], most: int, fewest: int, splitter: Splitter) -> None:
    told = transcript(*turns, roles=dict(enumerate(roles)))
    fewest = min(fewest, most)
    limits = SegmentSettings(max_words=most, min_words=fewest)
    found = segment(told, splitter, limits)

    assert found == segment(told, splitter, limits)
    assert all(one.text == told.text[one.start : one.end] == one.text.strip() != "" for one in found)
    assert [one.id for one in found] == [segment_id(told.id, one.start, one.end) for one in found]
    assert len({one.id for one in found}) == len({one.name for one in found}) == len(found)
    assert all(left.end <= right.start for left, right in pairwise(found))
    for index, turn in enumerate(told.turns):
        said = told.text[turn.start : turn.end]
        mine = [one for one in found if one.turn == index]
        assert all(turn.start <= one.start and one.end <= turn.end for one in mine)
        codable = turn.role is not Role.MODERATOR and words(said) >= fewest
        assert re.sub(r"\s", "", "".join(one.text for one in mine)) == (re.sub(r"\s", "", said) if codable else "")
        for one in mine:  # one sentence may be twice as long, and tiny rests may join it on both sides
            assert words(one.text) <= 2 * most + 2 * (min(fewest, most // 3) - 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(4, 20), min_size=1, max_size=60), st.integers(20, 60))
def test_short_sentences_never_pass_the_limit_nor_are_cut(lengths: list[int], most: int) -> None:
    text = talk(*lengths)
    found = [one.text for one in segments(transcript(text), most=most)]
    assert all(words(part) <= most and part.endswith(".") for part in found)
    assert " ".join(found) == text
