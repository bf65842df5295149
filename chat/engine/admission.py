"""Who may begin: what can never be served, what finds no room, and what should wait for another to compute for it.

Pure questions about requests; the scheduler acts on the answers.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...radix import as_key
from ...radix.keys import common_prefix
from ..errors import RequestError, TooLong
from .request import Request


def refusal(size: int, max_context: int, capacity: int) -> RequestError | None:
    """Returns why a prompt of so many tokens can never be served, or None.

    Args:
        size: Tokens of the prompt.
        max_context: Most tokens of a sequence that the model serves.
        capacity: Tokens of the pool.
    """
    if not size:
        return RequestError("the prompt is empty", "Type a message.")
    if size >= max_context:
        return TooLong(
            f"the prompt has {size} tokens; the model's context holds {max_context}, reply included",
            "Shorten it, or give it less history.",
        )
    if size > capacity:
        return TooLong(
            f"the prompt has {size} tokens; the cache holds {capacity}",
            f"Give it a larger capacity (at least {size + 1} tokens), or shorten the prompt.",
        )
    return None


def no_room(request: Request, needed: int, available: int) -> RequestError:
    """Returns why a request cannot begin although nothing else runs, in tokens of room."""
    return RequestError(
        f"the prompt of {request.size} tokens needs {needed} tokens of room; {available} can be had",
        "Give a larger capacity, unpin nodes, or shorten the prompt.",
    )


def comes_soon(request: Request, matched: int, running: Iterable[Request], page_size: int) -> bool:
    """Whether a running request is about to compute more of this one's beginning than the cache holds now.

    A cache that does not show what the other one has committed so far will not show the rest either.

    Args:
        request: Waits.
        matched: Tokens of it in the cache now.
        running: The requests that run.
        page_size: What is shared is whole pages of the cache.
    """
    key = as_key(request.known)
    for other in running:
        if other.lease is None or not other.prefilling or other.namespace != request.namespace:
            continue
        shared, computed = common_prefix(as_key(other.known), key), other.lease.computed
        reusable, shown = (
            most // page_size * page_size for most in (min(shared, request.size - 1), min(shared, computed))
        )
        if shown <= matched and reusable > max(computed, matched):
            return True
    return False
