"""A tiny sentence-transformers model with random weights, made on the spot: a network as far as files and shapes go."""

import string
from pathlib import Path

from pipeline.embed.sentences import stay_silent_and_offline

WORDS = (
    "we waited an hour in the rain for the bus to come was late again and this week fare went up i cannot pay ticket "
    "walk because costs too much they sing friendly driver people choir money time cold every day"
)


def tiny_model(folder: Path, *, seed: int = 0) -> Path:
    """Save a model of two small layers and a vocabulary of a few words and all letters; return its folder."""
    stay_silent_and_offline()
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    letters = string.ascii_lowercase + string.digits
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{sign}" for sign in letters)]
    vocabulary = {piece: at for at, piece in enumerate(dict.fromkeys([*pieces, *WORDS.split()]))}
    words = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    words.normalizer = normalizers.BertNormalizer(lowercase=True)
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.decoder = decoders.WordPiece()
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    words.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    special = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # the library has no types here
        tokenizer_object=words, model_max_length=64, **{f"{name}_token": token for name, token in special.items()}
    )
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64,
    )  # fmt: skip
    body = folder.with_name(f"{folder.name}-body")
    BertModel(config).save_pretrained(body)
    tokenizer.save_pretrained(body)
    network = Transformer(str(body), max_seq_length=64)
    model = SentenceTransformer(modules=[network, Pooling(32)], device="cpu")
    model.save(str(folder))
    return folder
