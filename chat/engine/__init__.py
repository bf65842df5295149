"""The engine: a model (or the words tokenizer) over a prefix cache. Importing it imports no torch."""

from .engine import Ask, Chunk, Completion, Engine
from .params import SamplingParams

__all__ = ["Ask", "Chunk", "Completion", "Engine", "SamplingParams"]
