"""The paragraph on methods that a paper can take over, with its references."""

from collections.abc import Iterator

from ..agreement import Agreement
from .audited import Audited, Drift
from .page import Part, Section
from .telling import day

REFERENCES = {
    "Benjamini 1995": "Benjamini, Y., & Hochberg, Y. (1995). Controlling the false discovery rate: a practical and "
    "powerful approach to multiple testing. Journal of the Royal Statistical Society B, 57(1), 289–300.",
    "Callaghan 2020": "Callaghan, M. W., & Müller-Hansen, F. (2020). Statistical stopping criteria for automated "
    "screening in systematic reviews. Systematic Reviews, 9, 273.",
    "Guest 2020": "Guest, G., Namey, E., & Chen, M. (2020). A simple method to assess and report thematic saturation "
    "in qualitative research. PLoS ONE, 15(5), e0232076.",
    "Horvitz 1952": "Horvitz, D. G., & Thompson, D. J. (1952). A generalization of sampling without replacement from a "
    "finite universe. Journal of the American Statistical Association, 47(260), 663–685.",
    "Kleinman 1973": "Kleinman, J. C. (1973). Proportions with extraneous variance: single and independent samples. "
    "Journal of the American Statistical Association, 68(341), 46–54.",
    "Kusa 2023": "Kusa, W., Lipani, A., Knoth, P., & Hanbury, A. (2023). An analysis of work saved over sampling in "
    "the evaluation of automated citation screening in systematic literature reviews. Intelligent Systems with "
    "Applications, 18, 200193.",
    "Page 1954": "Page, E. S. (1954). Continuous inspection schemes. Biometrika, 41(1/2), 100–115.",
    "Reynolds 1999": "Reynolds, M. R., & Stoumbos, Z. G. (1999). A CUSUM chart for monitoring a proportion when "
    "inspecting continuously. Journal of Quality Technology, 31(1), 87–108.",
    "Wilson 1927": "Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. "
    "Journal of the American Statistical Association, 22(158), 209–212.",
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
    yield from _drift_sentences(found.drift)
    yield from _influence_sentences(found)
    yield "What it found was taken as signals for discussion among coders, not as ratings of people.", ()


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


def _drift_sentences(drift: Drift | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    if drift is None:
        yield "Change over time could not be examined, as no segment has an answer to compare with.", ()
        return
    plan = drift.audit.plan
    yield (
        f"Change over time was examined for {_count(len(plan.priority), 'theme')} ({', '.join(plan.priority)}) on "
        f"{len(drift.checks):,} answers, compared with {drift.audit.reference}.",
        (),
    )
    if plan.shuffled:
        yield (
            "Misses and false alarms were followed with Bernoulli CUSUM charts (Page, 1954; Reynolds & Stoumbos, "
            "1999), with baselines by empirical Bayes (Kleinman, 1973) from each coder's first blind checks and the "
            "other coders'; charts began anew when a theme's entry in the codebook changed.",
            ("Page 1954", "Reynolds 1999", "Kleinman 1973"),
        )
    yield (
        f"Change points and trends were tested by {plan.permutations:,} permutations of "
        f"{'checks' if plan.shuffled else 'whole documents'}, with the false discovery rate held at .10 over "
        f"{drift.audit.tested:,} cells (Benjamini & Hochberg, 1995); shares have Wilson (1927) intervals.",
        ("Benjamini 1995", "Wilson 1927"),
    )


def _influence_sentences(found: Audited) -> Iterator[tuple[str, tuple[str, ...]]]:
    if found.influence is not None:
        yield (
            "The influence of the machine's suggestions was estimated by comparing segments whose suggestions were "
            "shown with segments drawn at random to come without, weighted by the probability of being drawn (Horvitz "
            "& Thompson, 1952) within bands of the suggestion's probability, with delete-one-document jackknife "
            "intervals.",
            ("Horvitz 1952", "Efron 1981"),
        )
    if found.effort.screened:
        yield (
            "The order in which the machine would have had segments read was described by the true negative rate at "
            "95 % recall (Kusa et al., 2023); the number of random segments without a hit that makes a recall of 90 % "
            "sure follows Callaghan and Müller-Hansen (2020).",
            ("Kusa 2023", "Callaghan 2020"),
        )
    if len(found.effort.saturation.seen) > 1:
        yield (
            "Saturation of themes was judged with a base of four documents, runs of two, and a threshold of 5 % "
            "(Guest et al., 2020).",
            ("Guest 2020",),
        )
