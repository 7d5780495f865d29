"""Words that tell speaker labels from other words before a colon or in brackets, in the languages we met."""


def _words(told: str) -> frozenset[str]:
    return frozenset(told.split())


# Asides, and fields in the head of a transcript: never a speaker.
NOTES = _words("""
    note notes nb n.b ps remark remarks comment comments example examples date time place location venue site
    duration length topic title subject project study source file transcript transcription recording audio
    participants attendees present version page part section chapter table figure summary language setting
    background introduction conclusion start end ok okay warning attention important update link url http
    https www email mail tel phone timespan content anmerkung anmerkungen hinweis notiz notizen bemerkung
    kommentar beispiel beispiele datum zeit uhrzeit ort dauer thema titel projekt studie quelle datei
    transkript aufnahme teilnehmende anwesend sprache seite teil abschnitt kapitel tabelle abbildung
    einleitung fazit zusammenfassung wichtig achtung remarque exemple lieu durée sujet nota ejemplo fecha hora
    lugar tema also so etc eg e.g ie i.e
""")
# A speaker only when it comes back.
WORDS = _words("""
    question answer first second third firstly secondly thirdly however but and or then because therefore
    finally problem problems reason reasons result results thing things point points one two three yes no well
    now today yesterday here there this that it aim goal goals advantage advantages disadvantage challenge
    challenges solution idea fact meaning frage antwort erstens zweitens drittens aber und oder dann weil
    deshalb schließlich grund ergebnis ja nein nun heute gestern hier dort das ziel ziele vorteil nachteil
    lösung idee außerdem réponse pregunta respuesta
""")
# Whoever ends on one of these introduces what is said in the middle of a turn.
VERBS = _words("""
    said says say saying asked asks ask told tells tell replied answered explained thought think like is are
    was were be been do does did go goes went meant mean means sagt sagte sagen meint meinte fragt fragte ist
    sind war waren heißt
""")
# Brackets round these describe what was heard.
SOUNDS = _words("""
    laughs laughter laughing laugh inaudible unclear pause silence silent crosstalk music applause noise sigh
    sighs cough coughs coughing crying overlapping overlap interruption interrupts unintelligible indistinct
    foreign sic redacted anonymised anonymized omitted name lacht lachen gelächter unverständlich schweigen
    seufzt hustet rires risas
""")
# Roles that are labels by themselves, also with a number, and end the labels of roles in several words.
ROLES = _words("""
    moderator moderatorin interviewer interviewerin interviewee interviewees facilitator researcher
    participant respondent speaker informant student patient client therapist psychiatrist psychologist nurse
    worker officer manager assistant secretary director coordinator therapists pharmacist trainer supervisor
    carer caregiver relative physician resident trainee volunteer maker observer host mother father sister
    brother son daughter husband wife counsellor counselor teacher doctor befragte befragter befragte/r
    teilnehmer teilnehmerin sprecher sprecherin
""")
# Small words inside names and roles.
PARTICLES = _words("""
    and of the for to in at von van der den de del la le da di bin al el und e y et &
""")
# Labels of those who lead the talk, and of those who sit beside them.
ASKERS = _words("""
    moderator moderatorin mod interviewer interviewerin int i q facilitator researcher host note-taker notetaker
    observer co-moderator intervieweur intervieweuse animateur animatrice modérateur modératrice enquêteur
    enquêtrice entrevistador entrevistadora moderador moderadora facilitador facilitadora intervistatore
    moderatore mhojaji mwezeshaji msimamizi מנחה מראיין מראיינת
""")
