"""The engine: a model (or the words tokenizer) over a prefix cache. Importing it imports no torch."""

from .engine import Chunk, Completion, Engine
from .params import SamplingParams

__all__ = ["Chunk", "Completion", "Engine", "SamplingParams"]
