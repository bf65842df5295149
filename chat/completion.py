"""What the shell may complete: names of conversations, models, lessons and the like. Quick, and quiet about trouble."""

from __future__ import annotations


def conversations(incomplete: str) -> list[str]:
    """Names of saved conversations."""
    from .paths import conversations_file
    from .store import saved_names

    return _beginning(saved_names(conversations_file()), incomplete)


def models(incomplete: str) -> list[str]:
    """Models on this machine."""
    from .local_models import local_models

    return _beginning([model.name for model in local_models()], incomplete)


def recordings(incomplete: str) -> list[str]:
    """`last`, and the recordings of chats, the newest first."""
    from .paths import recordings_dir

    found = sorted(map(str, recordings_dir().glob("*.jsonl")), reverse=True)
    return _beginning(["last", *found], incomplete)


def lessons(incomplete: str) -> list[str]:
    """Names of shipped lessons; a path is completed by the shell."""
    from .lessons.loading import shipped

    return _beginning(shipped(), incomplete)


def exported(incomplete: str) -> list[str]:
    """What can be exported: recordings and lessons."""
    return [*recordings(incomplete), *lessons(incomplete)]


def formats(incomplete: str) -> list[str]:
    """Formats of an export."""
    from .exporting.formats import FORMATS

    return _beginning(list(FORMATS), incomplete)


def benches(incomplete: str) -> list[str]:
    """What can be measured."""
    from .bench.goals import BENCHES

    return _beginning([*BENCHES, "all"], incomplete)


def policies(incomplete: str) -> list[str]:
    """Eviction policies."""
    from ..radix.policies import POLICIES

    return _beginning(list(POLICIES), incomplete)


def presets(incomplete: str) -> list[str]:
    """Sets of rules of hash-block caches."""
    from ..radix.presets import PRESETS

    return _beginning(list(PRESETS), incomplete)


def themes(incomplete: str) -> list[str]:
    """Themes of the app."""
    from .config import THEMES

    return _beginning(list(THEMES), incomplete)


def views(incomplete: str) -> list[str]:
    """Ways in which the app draws a tree."""
    from .config import VIEWS

    return _beginning(list(VIEWS), incomplete)


def _beginning(names: list[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
