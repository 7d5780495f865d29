"""The paragraph on methods that a paper can take over, with its references."""

from collections.abc import Iterator

from ..agreement import Agreement
from .audited import Audited
from .page import Part, Section
from .telling import day

REFERENCES = {
    "Bloch 1989": "Bloch, D. A., & Kraemer, H. C. (1989). 2 × 2 kappa coefficients: measures of agreement or "
    "association. Biometrics, 45(1), 269–287.",
    "Cohen 1960": "Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and Psychological "
    "Measurement, 20(1), 37–46.",
    "Fleiss 1971": "Fleiss, J. L. (1971). Measuring nominal scale agreement among many raters. Psychological "
    "Bulletin, 76(5), 378–382.",
    "de Vries 2008": "de Vries, H., Elliott, M. N., Kanouse, D. E., & Teleki, S. S. (2008). Using pooled kappa to "
    "summarize interrater agreement across many items. Field Methods, 20(3), 272–282.",
    "Efron 1981": "Efron, B., & Stein, C. (1981). The jackknife estimate of variance. Annals of Statistics, 9(3), "
    "586–596.",
    "Field 2007": "Field, C. A., & Welsh, A. H. (2007). Bootstrapping clustered data. Journal of the Royal Statistical "
    "Society B, 69(3), 369–390.",
    "Gwet 2008": "Gwet, K. L. (2008). Computing inter-rater reliability and its variance in the presence of high "
    "agreement. British Journal of Mathematical and Statistical Psychology, 61(1), 29–48.",
    "Hesterberg 2015": "Hesterberg, T. C. (2015). What teachers should know about the bootstrap. The American "
    "Statistician, 69(4), 371–386.",
    "Krippendorff 2016": "Krippendorff, K., Mathet, Y., Bouvry, S., & Widlöcher, A. (2016). On the reliability of "
    "unitizing textual continua: further developments. Quality & Quantity, 50(6), 2347–2364.",
    "Krippendorff 2019": "Krippendorff, K. (2019). Content Analysis: An Introduction to Its Methodology (4th ed.). "
    "Sage.",
    "O'Brien 2014": "O'Brien, B. C., Harris, I. B., Beckman, T. J., Reed, D. A., & Cook, D. A. (2014). Standards for "
    "reporting qualitative research: a synthesis of recommendations. Academic Medicine, 89(9), 1245–1251.",
    "Passonneau 2006": "Passonneau, R. (2006). Measuring agreement on set-valued items (MASI) for semantic and "
    "pragmatic annotation. Proceedings of LREC 2006, 831–836.",
    "Tong 2007": "Tong, A., Sainsbury, P., & Craig, J. (2007). Consolidated criteria for reporting qualitative "
    "research (COREQ): a 32-item checklist. International Journal for Quality in Health Care, 19(6), 349–357.",
}


def methods_section(found: Audited) -> Section:
    """Return the section on methods: paragraphs to take over, and what they cite."""
    sentences = list(_sentences(found))
    text = " ".join(sentence for sentence, _ in sentences)
    cited = sorted({name for _, names in sentences for name in names} | {"Tong 2007", "O'Brien 2014"})
    parts: tuple[Part, ...] = (
        "For a paper; it answers items 24, 25 and 27 of COREQ (number of data coders, coding tree, software) and the "
        "items on data analysis and on techniques to enhance trustworthiness of SRQR. Add who the coders were and how "
        "they were trained.",
        text,
        tuple(REFERENCES[name] for name in cited),
    )
    return Section(title="Methods, for a paper", parts=parts)


def _sentences(found: Audited) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the sentences that hold for this study, with what they cite."""
    first = min(work.first for work in found.coders)
    last = max(work.last for work in found.coders)
    documents = len({(p.site, p.document) for p in found.passages.values()})
    revisions = len(found.revisions)
    yield (
        f"{_count(len(found.coders), 'coder')} coded {len(found.passages):,} segments of {documents:,} documents "
        f"between {day(first)} and {day(last)} with {_count(len(found.themes), 'theme')} "
        f"({_count(max(revisions, 1), 'revision')} of the codebook), using themescout "
        f"{found.versions['themescout']}.",
        (),
    )
    yield from _agreement_sentences(found.reliability.everything)


def _agreement_sentences(agreed: Agreement) -> Iterator[tuple[str, tuple[str, ...]]]:
    n = agreed.counts
    if not n.units:
        yield "No segment was coded by two coders, so that reliability could not be estimated.", ()
        return
    yield (
        f"{n.units:,} segments in {n.documents:,} documents were read by two coders or more ({n.readings:,} readings); "
        "segments that a coder had not read were treated as missing, segments read and not coded as coded with no "
        "theme.",
        (),
    )
    yield (
        "Agreement was estimated for each theme, given or not given, with Krippendorff's alpha (Krippendorff, 2019) "
        "and with positive and negative agreement; for whole sets of themes with alpha under Jaccard and MASI "
        "distances (Passonneau, 2006).",
        ("Krippendorff 2019", "Passonneau 2006"),
    )
    kappa = ("Cohen's", "Cohen 1960") if n.coders == 2 else ("Fleiss'", "Fleiss 1971")
    yield (
        f"{kappa[0]} kappa, Gwet's AC1 (Gwet, 2008), PABAK and, for pairs of coders, pooled kappa (de Vries et al., "
        "2008) are reported beside it.",
        (kappa[1], "Gwet 2008", "de Vries 2008"),
    )
    if n.documents >= 40:
        yield (
            "95 % intervals are expanded percentiles (Hesterberg, 2015) of a bootstrap over whole documents "
            "(Field & Welsh, 2007).",
            ("Hesterberg 2015", "Field 2007"),
        )
    elif n.documents >= 5:
        yield (
            "95 % intervals are from the delete-one-document jackknife (Efron & Stein, 1981) with the t distribution.",
            ("Efron 1981",),
        )
    else:
        yield "With fewer than five documents no intervals are given.", ()


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
