"""radixchat: a terminal chat with a radix-tree KV cache that you can watch at work.

The public names below load on first use, so that importing the package costs nothing and asks for no model:
`Engine`, `Ask` and `SamplingParams` run one (and need the ``chat`` extra); the caches are pure data structures.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .chat.engine import Ask, Engine, SamplingParams
    from .radix import LastSequence, NoCache, RadixCache

__version__ = "0.1.0"

__all__ = ["Ask", "Engine", "LastSequence", "NoCache", "RadixCache", "SamplingParams", "__version__"]

_HOMES = {
    "Ask": ".chat.engine",
    "Engine": ".chat.engine",
    "LastSequence": ".radix",
    "NoCache": ".radix",
    "RadixCache": ".radix",
    "SamplingParams": ".chat.engine",
}


def __getattr__(name: str) -> Any:
    """Loads a public name from where it lives (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    """Names the exports before they are loaded."""
    return sorted({*globals(), *__all__})
