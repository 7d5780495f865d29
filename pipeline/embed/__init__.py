"""Texts -> vectors. The only place that knows sentence-transformers, torch and model2vec.

encoder    the contract of every encoder, the texts it sees, and the hashing one that needs no model
sources    which encoder a study asks for: its files and their fingerprint, without loading anything heavy
folders    the folder of a model that is written as a whole or not at all
sentences  the encoder that is a sentence-transformers model
static     the encoder that is a table of words, distilled from another one on this machine
train      texts that show themes -> a model that tells these themes apart better
languages  what is known of an encoder's way with a language
"""

from .encoder import BATCH, PORTION, Encoder, HashingEncoder, encoder_text, in_portions
from .languages import language_note
from .sentences import SentenceEncoder
from .sources import Located, here, known, locate, made_from, origin
from .static import StaticEncoder, distill, ready
from .train import Lessons, Recipe, Trainee, fine_tuned

__all__ = [
    "BATCH",
    "PORTION",
    "Encoder",
    "HashingEncoder",
    "Lessons",
    "Located",
    "Recipe",
    "SentenceEncoder",
    "StaticEncoder",
    "Trainee",
    "distill",
    "encoder_text",
    "fine_tuned",
    "here",
    "in_portions",
    "known",
    "language_note",
    "load",
    "locate",
    "made_from",
    "origin",
    "ready",
]


def load(located: Located) -> Encoder:
    """Load an encoder that was found. Raises ``EncoderFault`` if its files are damaged."""
    if located.folder is None:
        return HashingEncoder()
    if located.static:
        return StaticEncoder(located.folder, located.fingerprint)
    return SentenceEncoder(located.folder, located.fingerprint, prompt=located.prompt)
