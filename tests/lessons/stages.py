"""Small lessons for tests: built in a line or two, or at random from a seed."""

from __future__ import annotations

from random import Random
from typing import Any

from radixchat.chat.lessons.loading import LessonError
from radixchat.chat.lessons.player import Level, Player
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.runs import Run
from radixchat.chat.lessons.schema import Lesson


def lesson(*steps: dict[str, Any], capacity: int = 100, **more: Any) -> Lesson:
    """Returns a lesson; a step without a title gets its number."""
    cache = {"capacity": capacity, **more.pop("cache", {})}
    titled = [{"title": f"step {number}", **step} for number, step in enumerate(steps, start=1)]
    return Lesson.model_validate(
        {
            "schema": 1,
            "title": "a lesson",
            "about": "for a test",
            "cache": cache,
            "steps": titled,
            "name": "small",
            **more,
        }
    )


def send(prompt: str, reply: str = "", **more: Any) -> dict[str, Any]:
    """Returns a step with one request."""
    return {"requests": [{"prompt": prompt, "reply": reply}], **more}


def run(what: Lesson) -> Run:
    """Runs a lesson on words."""
    return Stage(what).run()


def player(what: Lesson, **more: Any) -> Player:
    """Returns a player of a lesson on words."""
    stage = Stage(what)
    level = Level(more.pop("level", "intro"))
    return Player(stage, stage.run(), level=level, **more)


def random_run(seed: int, *, batches: bool) -> Run | None:
    """Runs a random lesson; None for one that asks for more room than there is."""
    random = Random(seed)
    steps = [_step(random, batches) for _ in range(random.randint(3, 9))]
    cache = {
        "policy": random.choice(["lru", "lru", "lfu", "fifo", "mru", "filo", "slru"]),
        "page_size": random.choice([1, 1, 1, 2, 4]),
        "split_recency": random.choice(["both", "both", "prefix"]),
        "tie": random.choice(["id", "deepest"]),
        "unit": random.choice(["leaf", "leaf", "leaf", "page"]),
    }
    what = lesson(*steps, capacity=random.randint(30, 90), cache=cache, system=random.choice(["", "be good now"]))
    try:
        return run(what)
    except LessonError:
        return None


def _step(random: Random, batches: bool) -> dict[str, Any]:
    if batches and random.random() < 0.3:
        return {"requests": [{"prompt": _text(random), "replies": [_text(random) for _ in range(3)]}]}
    if batches and random.random() < 0.4:
        return {"requests": [{"prompt": _text(random), "reply": _text(random)} for _ in range(random.randint(2, 3))]}
    if random.random() < 0.5:
        request = {"prompt": _text(random), "reply": _text(random)}
    else:
        request = {"conversation": random.choice("AB"), "user": _text(random), "reply": _text(random)}
    return {"requests": [request]}


def _text(random: Random) -> str:
    beginning = ["one two three four five", "one two three", "one two six seven eight nine", ""]
    words = [random.choice(["red", "green", "blue"]) for _ in range(random.randint(1, 9))]
    return " ".join([random.choice(beginning), *words]).strip() + " "
