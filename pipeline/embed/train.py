"""Fine-tune a sentence-transformers model on texts that show themes. Texts and themes in, a folder out.

Two losses are added. Texts of one theme are drawn together and away from the others in the batch (supervised
contrastive learning: Khosla et al. 2020, eq. 2). And every text is drawn to its theme's anchor, a vector that is
learned along with the model and begins as the mean of the theme's texts (cross-entropy over cosines with proxies, as
in Movshovitz-Attias et al. 2017). Batches hold equally many texts of each of their themes: large ones drown no others.

The anchors alone, at twice the rate, ranked about as well on two public sets; on one the mean average precision was
lower, on the other probabilities were further off.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import EncoderFault
from .encoder import BATCH, encoder_text, of_length_one
from .folders import as_a_whole
from .sentences import open_model
from .sources import ORIGIN, Located

CHARACTERS = 2000  # of padded text that go through the network together: long definitions would pad short quotes
STEPS = 8  # the fewest in a round: a small codebook is gone through more than once


@dataclass(frozen=True, kw_only=True, slots=True)
class Lessons:
    """Texts, and which themes each of them shows."""

    texts: tuple[str, ...]
    shows: NDArray[np.bool_]  # n x k, at least one in each row

    @property
    def by_theme(self) -> list[NDArray[np.intp]]:
        """The rows of each theme that has any."""
        return [np.flatnonzero(column) for column in self.shows.T if column.any()]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How a model is trained."""

    themes: int = 16  # in a batch
    texts: int = 2  # of each of them
    rate: float = 2e-5
    anchor_rate: float = 1e-3
    temperature: float = 0.07
    anchor_weight: float = 0.5
    warm_up: int = 10  # steps until the full rate
    most_tokens: int = 128  # of a text that are learned from
    seed: int = 0


class Trainee:
    """A model in training. After every round it can be kept in a file and found there again, to the bit."""

    def __init__(self, base: Located, lessons: Lessons, recipe: Recipe | None = None, kept: Path | None = None) -> None:
        assert base.folder is not None
        self.rounds = 0  # that were trained
        self.notes: list[Any] = []  # whatever the caller keeps along with the rounds
        self._base, self._lessons, self._recipe, self._kept = base, lessons, recipe or Recipe(), kept
        self._model = open_model(base.folder)
        _freeze_words(self._model)
        state = _read(kept, self._model.device) if kept is not None else None
        self._anchors = _parameter(
            _first_anchors(self.encode, lessons) if state is None else state["anchors"], self._model.device
        )
        self._optimizer = _optimizer(self._model, self._anchors, self._recipe)
        if state is not None:
            self._model.load_state_dict(state["model"], strict=False)  # what is frozen is not kept
            self._optimizer.load_state_dict(state["optimizer"])
            self.rounds, self.notes = state["rounds"], state["notes"]

    def train(self, step_done: Callable[[], None] = lambda: None) -> None:
        """Train one round. What it does depends on the lessons, the recipe and the rounds before it alone."""
        import torch

        torch.manual_seed(self._recipe.seed * 1000 + self.rounds)
        rng = np.random.default_rng((self._recipe.seed, self.rounds))
        length, self._model.max_seq_length = self._model.max_seq_length, self._longest()
        self._model.train()
        steps = steps_of(self._lessons, self._recipe)
        for at, batch in enumerate(batches(self._lessons, self._recipe, steps, rng)):
            warm = min(1.0, (self.rounds * steps + at + 1) / self._recipe.warm_up)
            for group in self._optimizer.param_groups:
                group["lr"] = group["full"] * warm
            self._step(batch)
            step_done()
        self._model.eval()
        self._model.max_seq_length = length
        self.rounds += 1

    def _longest(self) -> int:
        own = self._model.max_seq_length
        return min(own, self._recipe.most_tokens) if own else self._recipe.most_tokens

    def _step(self, batch: NDArray[np.intp]) -> None:
        import torch

        rows = self._forward([self._lessons.texts[at] for at in batch])
        shows = torch.tensor(self._lessons.shows[batch], device=rows.device)
        loss = contrast(rows, shows, self._recipe.temperature)
        loss = loss + self._recipe.anchor_weight * to_anchors(rows, self._anchors, shows, self._recipe.temperature)
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()

    def _forward(self, texts: Sequence[str]) -> Any:  # noqa: ANN401  # a tensor; torch is not imported up here
        """Return a row of length 1 per text, with gradients; texts of like length go through the network together."""
        import torch

        plain = [encoder_text(text, self._base.prompt) for text in texts]
        out: list[Any] = [None] * len(plain)
        for some in of_like_length(plain):
            features = self._model.preprocess([plain[at] for at in some])
            features = {key: value.to(self._model.device) for key, value in features.items() if hasattr(value, "to")}
            rows = torch.nn.functional.normalize(self._model(features)["sentence_embedding"], dim=1)
            for at, row in zip(some, rows, strict=True):
                out[at] = row
        return torch.stack(out)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 per text, as the model is now."""
        plain = [encoder_text(text, self._base.prompt) for text in texts]
        return of_length_one(self._model.encode(plain, batch_size=BATCH, show_progress_bar=False))

    def keep(self) -> None:
        """Write everything that the next round needs to the file, as a whole or not at all. Raises ``EncoderFault``."""
        import torch

        assert self._kept is not None
        state = {
            "rounds": self.rounds,
            "notes": self.notes,
            "model": {name: value.detach() for name, value in self._model.named_parameters() if value.requires_grad},
            "anchors": self._anchors.detach(),
            "optimizer": self._optimizer.state_dict(),
        }
        part = self._kept.with_suffix(".part")
        try:
            torch.save(state, part)
            os.replace(part, self._kept)  # noqa: PTH105  # Path.replace is the same
        except (OSError, RuntimeError) as error:  # torch tells of a full disk as of a RuntimeError
            part.unlink(missing_ok=True)
            raise EncoderFault(str(self._kept), "cannot be written", "make room on the disk") from error

    def save(self, folder: Path, origin: bytes) -> None:
        """Write the model as an ordinary sentence-transformers folder, which is there as a whole or not at all.

        ``origin`` is the content of the file that tells what the model was made from. Raises ``EncoderFault``.
        """
        with as_a_whole(folder) as part:
            self._model.save(str(part), create_model_card=False)
            (part / ORIGIN).write_bytes(origin)


def fine_tuned(
    base: Located, texts: Sequence[str], themes: NDArray[np.intp], rounds: int = 3
) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """Return the ``encode`` of a model trained on texts that each show one theme, given by its number."""
    distinct = {text: at for at, text in enumerate(dict.fromkeys(texts))}
    shows = np.zeros((len(distinct), int(themes.max()) + 1), dtype=bool)
    shows[[distinct[text] for text in texts], themes] = True
    trainee = Trainee(base, Lessons(texts=tuple(distinct), shows=shows))
    for _ in range(rounds):
        trainee.train()
    return trainee.encode


def _read(file: Path, device: Any) -> Any:  # noqa: ANN401
    """Return what was kept, or nothing if that is not there, or was damaged: then training begins anew."""
    import torch

    if not file.is_file():
        return None
    try:
        return torch.load(file, map_location=device, weights_only=True)
    except Exception:  # what torch raises for a damaged file is not documented
        return None


def _first_anchors(encode: Callable[[Sequence[str]], NDArray[np.float32]], lessons: Lessons) -> NDArray[np.float32]:
    rows = encode(lessons.texts)
    means = np.zeros((lessons.shows.shape[1], rows.shape[1]), np.float32)
    for theme in np.flatnonzero(lessons.shows.any(axis=0)):
        means[theme] = rows[lessons.shows[:, theme]].mean(axis=0)
    return of_length_one(means)


def _parameter(values: Any, device: Any) -> Any:  # noqa: ANN401
    import torch

    return torch.nn.Parameter(torch.as_tensor(values).clone().to(device))


def _freeze_words(model: Any) -> None:  # noqa: ANN401
    """Leave the table of words as it is: words that the lessons lack would not move along with those they have.

    In multilingual models it is also most of the model, and would make training slow and large.
    """
    body = getattr(model[0], "auto_model", None)
    words = body.get_input_embeddings() if body is not None else None
    if words is not None:
        words.requires_grad_(False)


def _optimizer(model: Any, anchors: Any, recipe: Recipe) -> Any:  # noqa: ANN401
    import torch

    groups = [
        {"params": [value for value in model.parameters() if value.requires_grad], "full": recipe.rate},
        {"params": [anchors], "full": recipe.anchor_rate, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.rate, weight_decay=0.01)


def steps_of(lessons: Lessons, recipe: Recipe) -> int:
    """Return how many batches a round has: about as many texts as there are, in at least ``STEPS``."""
    together = min(recipe.themes, len(lessons.by_theme)) * recipe.texts
    return max(STEPS, round(len(lessons.texts) / together))


def batches(lessons: Lessons, recipe: Recipe, count: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Yield the rows of each batch: themes and their texts are dealt like cards, all of them before any comes again."""
    of = lessons.by_theme
    themes: list[int] = []
    texts: list[list[int]] = [[] for _ in of]
    for _ in range(count):
        chosen: dict[int, None] = {}
        while len(chosen) < min(recipe.themes, len(of)):
            themes = themes or rng.permutation(len(of)).tolist()
            chosen[themes.pop()] = None
        batch: dict[int, None] = {}
        for theme in chosen:
            for _ in range(min(recipe.texts, len(of[theme]))):
                texts[theme] = texts[theme] or rng.permutation(of[theme]).tolist()
                batch[texts[theme].pop()] = None
        yield np.array(list(batch), dtype=np.intp)


def of_like_length(texts: Sequence[str]) -> list[list[int]]:
    """Return the places of texts in groups of like length, none with more than ``CHARACTERS`` if padded."""
    groups: list[list[int]] = [[]]
    for at in sorted(range(len(texts)), key=lambda at: (len(texts[at]), at)):
        if groups[-1] and len(texts[at]) * (len(groups[-1]) + 1) > CHARACTERS:
            groups.append([])
        groups[-1].append(at)
    return groups


def contrast(rows: Any, shows: Any, temperature: float) -> Any:  # noqa: ANN401
    """Return the supervised contrastive loss (Khosla et al. 2020, eq. 2) of rows of length 1.

    Two rows belong together if they share a theme; a row that belongs to no other has no part in the mean.
    """
    import torch

    itself = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    alike = rows @ rows.T / temperature
    chance = alike - torch.logsumexp(alike.masked_fill(itself, float("-inf")), dim=1, keepdim=True)
    together = (shows.float() @ shows.float().T > 0) & ~itself
    count = together.sum(dim=1)
    loss = -(chance * together).sum(dim=1) / count.clamp(min=1)
    return loss[count > 0].mean() if (count > 0).any() else (rows * 0).sum()


def to_anchors(rows: Any, anchors: Any, shows: Any, temperature: float) -> Any:  # noqa: ANN401
    """Return the cross-entropy of rows of length 1 with their themes, by the cosine with each theme's anchor."""
    import torch

    cosines = rows @ torch.nn.functional.normalize(anchors, dim=1).T / temperature
    aims = shows.float() / shows.float().sum(dim=1, keepdim=True)
    return -(torch.log_softmax(cosines, dim=1) * aims).sum(dim=1).mean()
