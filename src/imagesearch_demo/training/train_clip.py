"""Trains the small CLIP on drawn pictures and their captions. Importing this module loads torch.

With so few pictures, plain contrastive training learns scenes and times of day, but not things. Three
additions solve this; none of them is saved with the model. A head on the patch tokens classifies the thing,
the colour and the face under each patch. With soft targets, every picture that a caption is true of is a
positive. A sigmoid loss in addition to the softmax (SigLIP, arXiv:2303.15343) gives similarities an absolute
meaning, so that a search for something that is not in the album has low scores.
"""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as nnf
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from imagesearch_demo.album import (
    Caption,
    list_facts,
    make_near_miss,
    make_nonsense_word,
    make_pointed_caption,
    make_random_caption,
    match_captions,
)
from imagesearch_demo.drawing import PAINTS, THINGS, PictureTruth, Rng
from imagesearch_demo.training.samples import SIDE, TRAINING, Samples

PATCH = 12
WIDTH = 128
CONTEXT = 32  # tokens
GRID = SIDE // PATCH
KINDS, COLOURS = list(THINGS), list(PAINTS)
IGNORE = -100


def make_clip_config(vocab_size: int) -> CLIPConfig:
    """Return the config of the network: 4 vision and 2 text layers, 1.2 million parameters."""
    tower = {
        "hidden_act": "gelu",
        "hidden_size": WIDTH,
        "intermediate_size": 3 * WIDTH,
        "num_attention_heads": 4,
        "projection_dim": WIDTH,
    }
    return CLIPConfig(
        projection_dim=WIDTH,
        logit_scale_init_value=math.log(1 / 0.07),
        vision_config={**tower, "num_hidden_layers": 4, "image_size": SIDE, "patch_size": PATCH},
        text_config={**tower, "num_hidden_layers": 2, "max_position_embeddings": CONTEXT,
                     "vocab_size": vocab_size,
                     "bos_token_id": vocab_size - 2, "eos_token_id": vocab_size - 1,
                     "pad_token_id": vocab_size - 1},
    )  # fmt: skip


def build_tokenizer(texts: list[str]) -> CLIPTokenizer:
    """Build a byte-pair tokenizer with merges learned from `texts`.

    All 256 bytes are in the vocabulary, with and without the end-of-word mark. A character outside the
    vocabulary would become the end-of-text token, which ends the sentence there.
    """
    from tokenizers import pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: i for i, token in enumerate([*alphabet, *(f"{a}</w>" for a in alphabet)])}
    counts: dict[tuple[str, ...], int] = {}
    for text in texts:
        for word in text.lower().split():
            pieces = (*word[:-1], f"{word[-1]}</w>")
            counts[pieces] = counts.get(pieces, 0) + 1
    merges = _learn_merges(counts, 900)
    for a, b in merges:
        vocab.setdefault(a + b, len(vocab))
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocab[special] = len(vocab)
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=CONTEXT)


def _learn_merges(counts: dict[tuple[str, ...], int], limit: int) -> list[tuple[str, str]]:
    """Learn byte-pair merges, most frequent first; ties are in alphabetical order, to be reproducible."""
    merges: list[tuple[str, str]] = []
    while len(merges) < limit:
        pairs: dict[tuple[str, str], int] = {}
        for pieces, n in counts.items():
            for pair in itertools.pairwise(pieces):
                pairs[pair] = pairs.get(pair, 0) + n
        if not pairs:
            break
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        merged: dict[tuple[str, ...], int] = {}
        for pieces, n in counts.items():
            joined, i = [], 0
            while i < len(pieces):
                hit = pieces[i : i + 2] == best
                joined.append(best[0] + best[1] if hit else pieces[i])
                i += 2 if hit else 1
            merged[tuple(joined)] = merged.get(tuple(joined), 0) + n
        counts = merged
    return merges


def make_patch_labels(truths: list[PictureTruth]) -> np.ndarray:
    """Return labels of each patch, int64 (n, GRID * GRID, 3), with the columns thing, colour and face.

    Thing 0 means no thing; then the colour is ignored.
    """
    labels = np.zeros((len(truths), GRID, GRID, 3), dtype=np.int64)
    labels[..., 1] = IGNORE
    for row, truth in enumerate(truths):
        for thing in truth.things:
            cells = _find_patches(thing["box"])
            labels[row][(*cells, 0)] = 1 + KINDS.index(thing["kind"])
            labels[row][(*cells, 1)] = COLOURS.index(thing["colour"])
        for person in truth.people:
            labels[row][(*_find_patches(person["box"]), 2)] = 1
    return labels.reshape(len(truths), GRID * GRID, 3)


def _find_patches(box: list[float]) -> tuple[slice, slice]:
    """Return the patches whose centres are in a box, but at least one."""
    x1, y1, x2, y2 = (v / PATCH for v in box)
    left, top = min(GRID - 1, math.ceil(x1 - 0.5)), min(GRID - 1, math.ceil(y1 - 0.5))
    return slice(top, max(top + 1, math.floor(y2 + 0.5))), slice(left, max(left + 1, math.floor(x2 + 0.5)))


class ClipInTraining(nn.Module):
    """CLIP with the modules that are used only in training."""

    def __init__(self, clip: CLIPModel, slope: float):
        super().__init__()
        self.clip = clip
        self.patch_head = nn.Linear(WIDTH, 1 + len(KINDS) + len(COLOURS) + 1)
        self.slope = nn.Parameter(torch.tensor(slope))
        self.offset = nn.Parameter(torch.tensor(-5.0))

    def forward(self, pixels: torch.Tensor, tokens: dict) -> tuple[torch.Tensor, torch.Tensor]:
        """Return cosine similarities (texts, pictures) and patch logits (pictures, patches, classes)."""
        vision = self.clip.vision_model(pixel_values=pixels)
        images = nnf.normalize(self.clip.visual_projection(vision.pooler_output), dim=-1)
        text = self.clip.text_model(**tokens)
        texts = nnf.normalize(self.clip.text_projection(text.pooler_output), dim=-1)
        return texts @ images.T, self.patch_head(vision.last_hidden_state[:, 1:])


def compute_patch_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Compute the cross-entropy of thing, colour and face for the patches."""
    kinds, colours, face = logits.split([1 + len(KINDS), len(COLOURS), 1], dim=-1)
    loss = nnf.cross_entropy(kinds.flatten(0, 1), labels[..., 0].flatten())
    loss = loss + 0.5 * nnf.cross_entropy(
        colours.flatten(0, 1), labels[..., 1].flatten(), ignore_index=IGNORE
    )
    return loss + 0.5 * nnf.binary_cross_entropy_with_logits(face[..., 0], labels[..., 2].float())


def compute_contrastive_loss(model: ClipInTraining, cosines: torch.Tensor, fit: torch.Tensor) -> torch.Tensor:
    """Compute the softmax loss in both directions, with all positives, plus the sigmoid loss of pairs."""
    logits = cosines * model.clip.logit_scale.exp().clamp(max=100)
    loss = torch.zeros(())
    for scores, truth in ((logits, fit), (logits.T, fit.T)):
        some = truth.sum(dim=1) > 0  # a caption of made-up words has no positive
        target = truth[some] / truth[some].sum(dim=1, keepdim=True)
        loss = loss - (target * nnf.log_softmax(scores[some], dim=1)).sum(dim=1).mean()
    each = nnf.binary_cross_entropy_with_logits(
        cosines * model.slope.exp() + model.offset, fit, pos_weight=torch.tensor(3.0)
    )
    return loss / 2 + 2 * each


def _make_training_caption(rng: Rng, truth: PictureTruth) -> Caption:
    """Make a random caption; some contain made-up words, and a few consist only of them."""
    caption, way = make_random_caption(rng, truth), rng.random()
    if way < 0.04:
        words = " ".join(make_nonsense_word(rng) for _ in range(int(rng.integers(1, 4))))
        return Caption(words, ("nothing fits",))
    if way < 0.16:
        words = caption.text.split()
        for _ in range(int(rng.integers(1, 3))):
            words.insert(int(rng.integers(len(words) + 1)), make_nonsense_word(rng))
        return Caption(" ".join(words), caption.claims)
    return caption


def augment_pictures(
    rng: Rng, pixels: np.ndarray, labels: np.ndarray | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirror at random, vary exposure and tint, and add noise; normalise to -1..1, channels first."""
    x = pixels.astype(np.float32) / 127.5 - 1
    flip = rng.random(len(x)) < 0.5
    x[flip] = x[flip, :, ::-1]
    gain = rng.uniform(0.92, 1.08, (len(x), 1, 1, 1)) * rng.uniform(0.97, 1.03, (len(x), 1, 1, 3))
    x = (x + 1) * gain.astype(np.float32) - 1
    x += rng.standard_normal(x.shape, dtype=np.float32) * rng.uniform(0, 0.03, (len(x), 1, 1, 1)).astype(
        np.float32
    )
    if labels is not None:
        labels = labels.reshape(len(x), GRID, GRID, -1).copy()
        labels[flip] = labels[flip, :, ::-1]
        labels = labels.reshape(len(x), GRID * GRID, -1)
    return torch.from_numpy(x.transpose(0, 3, 1, 2).copy()), torch.from_numpy(
        labels if labels is not None else np.zeros(1)
    )


def make_parameter_groups(model: nn.Module, rate: float, fast: tuple[str, ...] = ()) -> list[dict]:
    """Make the optimizer's groups: weight decay only for matrices, ten times the rate for names in `fast`."""
    groups = {"decay": [], "plain": [], "fast": []}
    for name, parameter in model.named_parameters():
        kind = "fast" if name.endswith(fast or ("\0",)) else "decay" if parameter.ndim > 1 else "plain"
        groups[kind].append(parameter)
    return [{"params": groups["decay"], "lr": rate, "weight_decay": 0.05},
            {"params": groups["plain"], "lr": rate, "weight_decay": 0.0},
            {"params": groups["fast"], "lr": 10 * rate, "weight_decay": 0.0}]  # fmt: skip


@dataclass(frozen=True)
class TrainingRound:
    """A part of the training, with its own optimizer, schedule and training modules.

    The later rounds use three captions for each picture instead of one: a random one, one about a thing, and
    a near miss that is wrong in a detail (another colour, thing or scene). Texts cost little compared with
    pictures, and without near misses the vectors of a red boat and a blue boat hardly differ.
    """

    steps: int
    rate: float
    slope: float
    near_misses: bool


ROUNDS = (
    TrainingRound(1700, 1e-3, 2.3, False),
    TrainingRound(700, 7e-4, 3.4, True),
    TrainingRound(300, 5e-4, 3.4, True),
    TrainingRound(1000, 7e-4, 3.4, True),
)


def train_clip(
    samples: Samples,
    seed: int,
    rounds: Sequence[TrainingRound] = ROUNDS,
    batch: int = 128,
    log: Callable[[str], None] = print,
) -> tuple[CLIPModel, CLIPTokenizer]:
    """Train the CLIP from scratch.

    Parameters
    ----------
    samples : Samples
        Training pictures.
    seed : int
        Determines weights, order, captions and noise.
    rounds : sequence of TrainingRound
        The rounds in order.
    batch : int
        Pictures per step.
    log : callable
        Function that receives lines of progress.

    Returns
    -------
    CLIPModel, CLIPTokenizer
        The model in evaluation mode, and its tokenizer; arguments for `save_clip`.
    """
    rng = np.random.default_rng([TRAINING, seed, 3])
    corpus = [make_random_caption(rng, t).text for t in samples.truths for _ in range(4)]
    tokenizer = build_tokenizer(corpus)
    torch.manual_seed(seed)
    clip = CLIPModel(make_clip_config(len(tokenizer)))
    for number, training_round in enumerate(rounds):
        if number:
            rng = np.random.default_rng([TRAINING, seed, 3, number])
            torch.manual_seed(seed + number)
        _train_round(clip, tokenizer, samples, training_round, batch, rng, log)
    return clip.eval(), tokenizer


def _train_round(
    clip: CLIPModel,
    tokenizer: CLIPTokenizer,
    samples: Samples,
    training_round: TrainingRound,
    batch: int,
    rng: Rng,
    log: Callable[[str], None],
) -> None:
    facts, labels = [list_facts(t) for t in samples.truths], make_patch_labels(samples.truths)
    model = ClipInTraining(clip, training_round.slope).train()
    groups = make_parameter_groups(model, training_round.rate, ("logit_scale", "slope", "offset"))
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    rates = [g["lr"] for g in groups]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, training_round.steps, pct_start=0.06)
    started = time.perf_counter()
    for step in range(training_round.steps):
        rows = rng.integers(0, len(facts), batch)
        truths = [samples.truths[i] for i in rows]
        captions = [_make_training_caption(rng, truth) for truth in truths]
        if training_round.near_misses:
            captions += [make_pointed_caption(rng, truth) for truth in truths]
            captions += [make_pointed_caption(rng, make_near_miss(rng, truth)) for truth in truths]
        pixels, patches = augment_pictures(rng, samples.pixels[rows], labels[rows])
        tokens = tokenizer([c.text for c in captions], padding=True, truncation=True, return_tensors="pt")
        fit = torch.from_numpy(match_captions(captions, [facts[i] for i in rows]).astype(np.float32))
        with torch.autocast("cpu", torch.bfloat16):
            cosines, patch_logits = model(pixels, tokens)
        contrast = compute_contrastive_loss(model, cosines.float(), fit)
        local = compute_patch_loss(patch_logits.float(), patches)
        optimizer.zero_grad(set_to_none=True)
        (contrast + 1.5 * local).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            minutes = (time.perf_counter() - started) / 60
            log(
                f"clip {step + 1}/{training_round.steps}  contrast {contrast.item():.3f}  "
                f"patches {local.item():.3f}  {minutes:.1f} min"
            )


def save_clip(model: CLIPModel, tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Save a folder that `AutoModel`, `AutoTokenizer` and `AutoImageProcessor` load."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # Resized to a square, because a centre crop would remove the sides of a 4:3 picture.
    CLIPImageProcessorPil(
        size={"height": SIDE, "width": SIDE}, do_center_crop=False, image_mean=[0.5] * 3, image_std=[0.5] * 3
    ).save_pretrained(folder)
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
