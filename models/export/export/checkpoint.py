"""A checkpoint, our own or in the authors' form, as a model whose parameters are brought in module by module.

A folder or file of weights (`export.tensor_source`); config.json and vocab.txt beside them where there are any.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import torch

from mplug2.config import Mplug2Config
from mplug2.model import Mplug2
from train.text import source_vocabulary

from .empty_model import empty_model
from .errors import NotFinite, NotTied, UnfitVocabulary, listed
from .infer import VOCABULARY, check_family, infer, read_config, word_table
from .inventory import Inventory, misfit
from .parts import modules_of, prefixes
from .positions import POSITIONS, resized, side_of
from .skipped import DECODER_WORDS, SECOND_NAMES, TEXT_WORDS, reason_skipped
from .tensor_source import TensorSource

STEPS_COUNTED = "num_batches_tracked"
NOT_RUN = "part of a module that no task of this model runs"


def folder_of(checkpoint: Path) -> Path:
    """Where config.json and vocab.txt are looked for."""
    return checkpoint if checkpoint.is_dir() else checkpoint.parent


def read_vocabulary(checkpoint: Path, given: Path | None, rows: int) -> list[str]:
    """One piece a line, as many as the word table has rows: of the given file, else of the checkpoint's vocab.txt, else
    BERT's own, which released checkpoints have."""
    file = given or folder_of(checkpoint) / "vocab.txt"
    if not (given or file.exists()) and len(pieces := source_vocabulary()) == rows:
        return pieces
    if not file.exists():
        raise UnfitVocabulary(f"there is no vocabulary of {rows} pieces at {file}", VOCABULARY)
    try:
        pieces = file.read_text().splitlines()
    except (OSError, ValueError) as error:
        raise UnfitVocabulary(f"{file} is no text with a piece a line ({error})", VOCABULARY) from error
    if len(pieces) != rows:
        raise UnfitVocabulary(f"{file} has {len(pieces)} pieces, the checkpoint's word table {rows} rows", VOCABULARY)
    twice = [piece for piece, count in Counter(pieces).items() if count > 1]
    if twice:
        raise UnfitVocabulary(f"{file} has {listed(twice)} twice", VOCABULARY)
    return pieces


class Checkpoint:
    """What a checkpoint holds, told from its headers. No weight is read before `bring`."""

    def __init__(self, path: Path, vocabulary: Path | None = None) -> None:
        self.path = path
        given = read_config(folder_of(path) / "config.json")
        self.source = TensorSource(path)
        headers = self.source.headers
        check_family(headers)
        self.vocabulary = read_vocabulary(path, vocabulary, word_table(headers)[0])
        self.config = infer(headers, given, self.vocabulary)
        self.model = empty_model(self.config)
        # A shared word table is in our own files under one of its two names; a released checkpoint holds two tables.
        tables = {TEXT_WORDS, DECODER_WORDS} & headers.keys()
        self._shared = tables.pop() if len(tables) == 1 and not SECOND_NAMES.keys() & headers.keys() else None
        if self._shared:
            self.model.share_embeddings()
        self.inventory = self._take_stock()

    def _take_stock(self) -> Inventory:
        config, headers = self.config, self.source.headers
        shapes = {name: tuple(t.shape) for name, t in self.model.state_dict().items() if STEPS_COUNTED not in name}
        run = tuple(prefix for module in modules_of(config) for prefix in prefixes(module, config))
        skipped, unexpected = {}, []
        for name in headers:
            reason = reason_skipped(name, config)
            if reason is None and not name.startswith(run) and name != self._shared:
                reason = NOT_RUN if name in shapes else None
            if reason is not None:
                skipped[name] = reason
            elif name not in shapes:
                unexpected.append(name)
        used = [name for name in headers if name in shapes and name not in skipped]
        known = {*used, TEXT_WORDS, DECODER_WORDS} if self._shared else set(used)
        missing = [name for name in shapes if name.startswith(run) and name not in known]
        wanted = {**shapes, **({POSITIONS: headers[POSITIONS].shape} if self._resizes() else {})}
        misshapen = [line for name in used if (line := misfit(name, headers[name], wanted[name]))]
        return Inventory(config, used, skipped, missing, unexpected, misshapen, [POSITIONS] if self._resizes() else [])

    def _resizes(self) -> bool:
        """Whether config.json asks for pictures of another size than the checkpoint's."""
        header, config = self.source.headers.get(POSITIONS), self.config
        if header is None or config.vision.stem != "conv3d" or header.shape[1] != config.vision.width:
            return False
        return side_of(header.shape[0]) != config.grid

    def _read(self, name: str) -> torch.Tensor:
        tensor = self.source.read(name)
        if not tensor.isfinite().all():
            what = f"{name} holds NaN or infinite numbers"
            raise NotFinite(what, "take a checkpoint from before training broke down, or copy the file again")
        return resized(tensor, self.config.grid) if name in self.inventory.resized else tensor

    def identity(self) -> list:
        """Tells the files apart from others and from themselves once changed, without reading them."""
        return [[str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns] for f in self.source.files]

    def bring(self, module: str) -> None:
        """Reads a module's parameters into the model."""
        begin = prefixes(module, self.config)
        shared = {self._shared} if self._shared and module in ("text", "decoder") else set()
        wanted = [name for name in self.inventory.used if name.startswith(begin) or name in shared]
        read = {name: self._read(name) for name in wanted}
        self.model.load_state_dict(read, strict=False, assign=True)
        for second, first in SECOND_NAMES.items():
            if first in read and second in self.source.headers:
                if not torch.equal(self.source.read(second), read[first]):
                    what = f"{second} is another tensor than {first}"
                    raise NotTied(what, "only checkpoints whose output matrix is the word table can be exported")
        self.source.release()

    def release(self) -> None:
        """The model is empty again."""
        self.model.to("meta")


def open_checkpoint(path: Path, vocabulary: Path | None = None, report: Path | None = None) -> Checkpoint:
    """A checkpoint whose tensors are all there and known; what becomes of each is printed in short, and written to
    `report` in full."""
    checkpoint = Checkpoint(path, vocabulary)
    print("\n".join(checkpoint.inventory.lines()))
    if report:
        checkpoint.inventory.write(report)
    checkpoint.inventory.check(path)
    return checkpoint


def read_checkpoint(path: Path, vocabulary: Path | None = None) -> tuple[Mplug2, list[str]]:
    """The whole model, in eval mode, and its vocabulary: for models that fit in memory."""
    checkpoint = open_checkpoint(path, vocabulary)
    for module in modules_of(checkpoint.config):
        checkpoint.bring(module)
    return checkpoint.model, checkpoint.vocabulary


def read_model(path: Path) -> Mplug2:
    """The whole model, in eval mode."""
    return read_checkpoint(path)[0]
