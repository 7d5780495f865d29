"""Suggest the themes of a codebook for passages of transcripts, so that people can accept or reject them.

The modules in reading order, which is the order of the data; each imports only from modules above it:

errors       what can go wrong: each error has its place and its remedy
records      transcript, turn, segment, theme, exemplar, suggestion, decision; content ids
config       the settings of one study, read once from study.toml
decoding     bytes of a text file -> characters
sheets       CSV and XLSX files <-> rows of cells
transcripts  file -> transcript of turns
codebook     file -> themes with their exemplars
revisions    codebook and codebook -> what changed
edits        codebook and what somebody wants changed -> the next codebook
rewrite      codebook file and the next codebook -> the file's next content, all else left as it is
segment      transcript -> segments
language     text -> the languages it is in
likeness     texts -> which of them say nearly the same
embed        texts -> vectors
rank         vectors and codebook -> suggestions; learns from decisions
context      transcripts and segments -> the texts around each segment
evaluate     coded segments -> how good the suggestions are, beside the baselines
agreement    readings -> how far coders agree, with intervals
drift        checks of coders over time -> who or what changed, and what could not be seen
influence    judgements and actions -> what suggestions do to the people who see them
effort       judgements and actions -> what the work costs, what is saved, when it is enough
memos        memos in their versions -> what stands of them
report       results -> one HTML page with its figures
exchange     records <-> tables of other programs
store        records <-> database
carry        what people did with words -> the segments that have these words now
revise       a study's codebook changed in the store and in its file: both, or neither
coded        decisions -> what ranking learns from and evaluation is made on
intake       a study's files -> the store: what is new, read and cut it, set broken ones aside
manifest     what a run works on and with, written down
work         suggesting over a store: ask what is missing, call a stage, keep the result
refresh      suggestions anew while people decide
adapt        the encoder -> one that fits the study better, if it does
arrivals     a study's files over time -> those that have come to rest
check        read everything a study consists of, tell every fault, change nothing
onboard      a folder of transcripts -> a new site of the study, once somebody agrees
results      status, human coding in, tables out, evaluation
changes      two runs -> which suggestions changed, and why
anchors      segments of known gold coding, on which coders are checked: proposed, settled, counted
audit        agreement of a study's coders, and what else its report tells
portrait     a site's talk beside that of the others, and the work it will be
review       the page where people decide
cluster      embedding on the workers of a Dask cluster
flows        the stages joined with the store, as a Prefect flow
cli          the commands: the only place that prints or exits
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
