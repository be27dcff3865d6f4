"""The model under evaluation: its texts' ids, and what it sees in each photo, computed once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch

from mplug2.model import Mplug2
from train.data import PhotoTars
from train.augment import squashed
from train.objectives import encode
from train.targets import pad
from train.text import clean_caption, load_tokenizer

PHOTOS = 20
SENTENCES = 100


def batches(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Consecutive pieces of at most `size`."""
    for first in range(0, len(items), size):
        yield items[first : first + size]


def photo_pixels(tars: PhotoTars, images: Iterable[str], size: int) -> np.ndarray:
    """Photos as the runtime resizes them, bytes N×size×size×3."""
    return np.stack([squashed(tars.open(image), size) for image in images])


class Subject:
    """A model in eval mode with its vocabulary."""

    def __init__(self, model: Mplug2, vocabulary: list[str], bfloat16: bool = False) -> None:
        """`bfloat16`: compute under autocast, for a quick look."""
        self.model = model.eval()
        self._tokenizer = load_tokenizer(vocabulary)
        self._bfloat16 = bfloat16
        self._rows: dict[str, int] = {}
        self._memory = torch.empty(0)
        self._pooled: dict[str, torch.Tensor] = {}

    @contextlib.contextmanager
    def computing(self) -> Iterator[None]:
        """No gradients; autocast where that was asked for."""
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16):
            yield

    def pixels(self, tars: PhotoTars, images: Sequence[str]) -> torch.Tensor:
        """B×3×1×R×R, normalised as the model wants them."""
        config = self.model.config
        x = torch.from_numpy(photo_pixels(tars, images, config.image_size)).float() / 255
        return ((x - torch.tensor(config.mean)) / torch.tensor(config.std)).permute(0, 3, 1, 2)[:, :, None]

    def look(self, tars: PhotoTars, images: Sequence[str], pooled: Sequence[str] = ()) -> None:
        """Sees `images` (for `memory`), and the means over the cells of `pooled` (for `class_logits`)."""
        new = [image for image in images if image not in self._rows]
        wanted, seen = set(new), []
        every = list(dict.fromkeys([*new, *(image for image in pooled if image not in self._pooled)]))
        for number, some in enumerate(batches(every, PHOTOS)):
            with self.computing():
                cells = self.model.cells(self.pixels(tars, some))
                self._pooled |= dict(zip(some, cells.float().mean((1, 2))))
                keep = [i for i, image in enumerate(some) if image in wanted]
                if keep:
                    seen.append(self.model.universal(self.model.vision(cells[keep])).float())
            if number % 25 == 24:
                print(f"seen {number * PHOTOS + len(some)} of {len(every)} photos", flush=True)
        if seen:
            self._rows |= {image: len(self._rows) + i for i, image in enumerate(new)}
            self._memory = torch.cat([self._memory.reshape(-1, *seen[0].shape[1:]), *seen])

    def memory(self, images: Sequence[str]) -> torch.Tensor:
        """Visual tokens B×N×E of photos that have been looked at."""
        return self._memory[[self._rows[image] for image in images]]

    def class_logits(self, images: Sequence[str]) -> torch.Tensor:
        """Logits B×classes of photos that have been looked at."""
        with self.computing():
            return self.model.class_head(torch.stack([self._pooled[image] for image in images])).float()

    def ids(self, texts: Sequence[str]) -> torch.Tensor:
        """[CLS] and the pieces of each cleaned text, no [SEP] behind: S×L, zeros behind."""
        cleaned = [clean_caption(text) for text in texts]
        limit = self.model.config.text.positions - 1
        encoded = self._tokenizer.encode_batch(cleaned, add_special_tokens=False)
        return pad([[self.model.config.ids.start, *e.ids[:limit]] for e in encoded])

    def encode(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Text encoder's hidden S×L×E, and the mask S×L."""
        return encode(self.model, self.ids(texts))

    def text(self, ids: Sequence[int]) -> str:
        """What generated ids say."""
        return self._tokenizer.decode([i for i in ids if i != self.model.config.ids.end])
