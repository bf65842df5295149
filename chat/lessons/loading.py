"""Reads lessons: shipped ones by name, others by path. What is wrong with a file is said with its line and field.

YAML and pydantic are imported when a lesson is read, so that names are known at once. Nothing is run.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from ...viz import sanitize
from ..errors import UsageError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from pydantic_core import ErrorDetails
    from yaml.error import Mark
    from yaml.nodes import Node

    from .schema import Lesson

LARGEST = 1 << 20
"""Bytes of a file."""

DEEPEST = 20
"""Levels of a file; a lesson needs half of them."""

NODES = 50_000
"""Values of a file with each alias counted as what it stands for."""

LONGEST = 400
"""Characters of a message."""

ENDINGS = (".yaml", ".yml")

ORDER = (
    "nine-steps", "trie-to-radix", "multi-turn", "system-prompt", "few-shot", "policies", "page-size", "the-price",
    "hash-blocks",
)  # fmt: skip
"""Shipped lessons in the order of teaching; those without a place come last, by name."""

_FORMAT = "docs/lesson-format.md says what a lesson may hold; `radixchat lesson FILE --check` tries it."


class LessonError(UsageError):
    """A lesson that cannot be read, or cannot be run; `what` names file, line and field, or the step.

    It quotes the file, so it is made safe to print, in one line.
    """

    def __init__(self, what: str, fix: str) -> None:
        line = " ".join(sanitize(what[: 2 * LONGEST]).split())
        super().__init__(line if len(line) <= LONGEST else line[: LONGEST - 1] + "…", fix)


def shipped() -> list[str]:
    """Returns the names of the lessons that come with the program, nine-steps first."""
    names = {path.name.removesuffix(".yaml") for path in _shelf().iterdir() if path.name.endswith(".yaml")}
    return [name for name in ORDER if name in names] + sorted(names.difference(ORDER))


def load_lesson(name: str) -> Lesson:
    """Reads a lesson.

    Args:
        name: Of a shipped lesson, or a path: it has a slash or ends in .yaml or .yml.

    Raises:
        LessonError: no such lesson, or one that is not written as it must be.
    """
    if "/" in name or "\\" in name or name.endswith(ENDINGS):
        return read_lesson(_bytes(Path(name)), name)
    if name not in shipped():
        raise LessonError(
            f"there is no lesson {name!r}{_meant(name, shipped())}",
            f"Choose one of {', '.join(shipped())}, or name a file (mine.yaml).",
        )
    return read_lesson((_shelf() / f"{name}.yaml").read_bytes(), f"{name}.yaml")


def check_step(lesson: Lesson, step: int | None) -> None:
    """Raises UsageError for a step that a lesson does not have; None is none."""
    if step is not None and not 1 <= step <= len(lesson.steps):
        raise UsageError(f"there is no step {step}", f"{lesson.name} has steps 1 to {len(lesson.steps)}.")


def _meant(name: str, known: Collection[str]) -> str:
    """Returns a question after the nearest name, "" where none is near."""
    near = get_close_matches(name, known, n=1)
    return f"; is {near[0]} meant?" if near else ""


def read_lesson(data: bytes, file: str) -> Lesson:
    """Reads the text of a lesson; `file` is its name in messages, and its stem that of the lesson.

    Raises:
        LessonError: it is not written as it must be; `what` names line and field.
    """
    from pydantic import ValidationError

    from .facts import mistakes
    from .schema import SCHEMA, Lesson

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise LessonError(f"{file}, line {line}: not UTF-8", "Save the file as UTF-8.") from None
    root = _composed(text, file)
    values = _Reader(file).value(root)
    if not isinstance(values, dict):
        raise LessonError(f"{file} is not a lesson: it holds no fields", _FORMAT)
    version = values.get("schema")
    if type(version) is int and version > SCHEMA:
        raise LessonError(
            f"{file}, line {_line_of(root, ('schema',))}: schema {version}; this program reads up to {SCHEMA}",
            "Update radixchat, or write the lesson for an older one.",
        )
    if "name" in values:  # which is the file's own
        raise LessonError(_placed(("name",), "unknown field", values, root, file), _FORMAT)
    try:
        lesson = Lesson.model_validate({**values, "name": Path(file).stem})
    except ValidationError as error:
        wrong = error.errors()
        first = next(
            (one for one in wrong if one["type"] == "extra_forbidden"), wrong[0]
        )  # a misspelt one is missing, too
        raise LessonError(_said(first, values, root, file), _FORMAT) from None
    for place, what in mistakes(lesson):
        raise LessonError(_placed(place, what, values, root, file), _FORMAT)
    lesson.found_in(file, tuple(_line_of(root, ("steps", place)) for place in range(len(lesson.steps))))
    return lesson


def _shelf() -> Traversable:
    return files("radixchat") / "examples" / "lessons"


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise LessonError(
            f"{path} cannot be read: {error.strerror or error}",
            "Name a file, or a lesson of the list: `radixchat lesson`.",
        ) from None
    if len(data) > LARGEST:
        raise LessonError(f"{path} has more than {LARGEST >> 20} MiB: that is no lesson", _FORMAT)
    return data


# -- YAML to values ------------------------------------------------------------------------------------------------


def _composed(text: str, file: str) -> Node | None:
    """Returns the nodes of a YAML text; aliases are shared, nothing is built yet."""
    import yaml

    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark, what = error.problem_mark or error.context_mark, str(error.problem or error.context or "broken")
        if "quoted scalar" in str(error.context) and error.context_mark is not None:
            mark, what = error.context_mark, f"the text in quotes that begins here has no end: {what}"
        elif mark is not None and (opened := _opened(text, mark.index)) is not None:
            mark, what = opened, f"the text in quotes that begins here goes on to line {mark.line + 1}: {what}"
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = " ".join(what.split())
        raise LessonError(f"{file}{where}: {what}", "Mend the YAML there; texts with a colon need quotes.") from None
    except yaml.YAMLError as error:  # characters that YAML does not take
        raise LessonError(f"{file}: {' '.join(str(error).split())}", "Take these characters out.") from None
    except RecursionError:
        raise LessonError(f"{file}: more than {DEEPEST} levels", _FORMAT) from None


def _opened(text: str, end: int) -> Mark | None:
    """Returns where a text in quotes begins that goes over lines and ends just before a mistake; None for none.

    Its own end was forgotten, and the next text's beginning taken for it.
    """
    import yaml

    opened = None
    with suppress(yaml.YAMLError):
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if token.start_mark.index >= end:
                break
            quoted = isinstance(token, yaml.ScalarToken) and token.style in ("'", '"')
            opened = token.start_mark if quoted and token.start_mark.line < token.end_mark.line else None
    return opened


class _Reader:
    """Turns nodes into values: no tags but YAML's own plain ones, no key twice, not too deep, not too much."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._left = NODES

    def value(self, node: Node | None, depth: int = 0) -> Any:
        """Returns what a node stands for."""
        import yaml

        if node is None:
            return None
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            too = f"more than {NODES:,} values, aliases counted" if self._left < 0 else f"more than {DEEPEST} levels"
            raise self._wrong(node, too)
        if node.tag.removeprefix("tag:yaml.org,2002:") not in _PLAIN:
            raise self._wrong(node, f"the tag {node.tag} is not taken")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        try:
            return _scalar(node)
        except (ValueError, LookupError):  # of a tag that does not fit: !!bool x
            raise self._wrong(node, f"{node.value!r} is no value; put it in quotes") from None

    def _mapping(self, node: Node, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in node.value:
            key = name.value if isinstance(name.value, str) else None
            if key is None or name.tag == "tag:yaml.org,2002:merge":
                raise self._wrong(name, "a field needs a plain name")
            if key in values:
                raise self._wrong(name, f"{key} is given twice")
            values[key] = self.value(value, depth + 1)
        return values

    def _wrong(self, node: Node, what: str) -> LessonError:
        return LessonError(f"{self._file}, line {node.start_mark.line + 1}: {what}", _FORMAT)


_PLAIN = frozenset({"map", "seq", "str", "int", "float", "bool", "null", "timestamp"})


def _scalar(node: Node) -> Any:
    """Returns a scalar; a date is a text here. Raises ValueError or LookupError where it is not what its tag says."""
    import yaml

    if node.tag.endswith(":timestamp"):
        return node.value
    return yaml.constructor.SafeConstructor().construct_object(node)


# -- what pydantic says, with the line -----------------------------------------------------------------------------


def _said(error: ErrorDetails, values: Any, root: Node | None, file: str) -> str:
    """Returns one line: file, line, the path of the field, and what is wrong with it."""
    kind, given, place, why = error["type"], error["input"], error["loc"], error.get("ctx", {})
    if kind == "extra_forbidden":
        what = f"unknown field{_meant(str(place[-1]), _fields(place[:-1]))}"
    elif kind == "value_error":
        what = str(why["error"])
    elif kind in _MUST:
        what = _MUST[kind].format(**why)
        if isinstance(given, str | int | float | bool) and kind not in _BARE:
            what += f", not {str(given)[:40]!r}"
    else:
        what = "this is no value for it"
    return _placed(place, what, values, root, file)


_BARE: Final = ("missing", "string_type", "string_too_short", "string_too_long")
_MUST: Final = {
    "missing": "missing",
    "string_type": "must be a text: put it in quotes",
    "string_too_short": "must not be empty",
    "string_too_long": "has more than {max_length:,} characters",
    "string_pattern_mismatch": "must be one or two small letters, a to z",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number, and a finite one",
    "bool_type": "must be true or false",
    "greater_than_equal": "must be {ge:,} or more",
    "less_than_equal": "must be {le:,} or less",
    "literal_error": "must be {expected}",
    "list_type": "must be a list",
    "dict_type": "must hold fields, as in `name: value`",
    "model_type": "must hold fields, as in `name: value`",
    "too_short": "must have {min_length} or more",
    "too_long": "must have at most {max_length}",
}  # fmt: skip
"""What pydantic finds wrong, in the words of a lesson."""


def _fields(place: tuple[str | int, ...]) -> list[str]:
    """Returns the fields that there are at a place in a lesson."""
    from .schema import Lesson

    model: Any = Lesson
    for key in place:
        if isinstance(key, str) and model is not None and key in model.model_fields:
            model = _model_in(model.model_fields[key].annotation)
    known = model.model_fields.items() if model is not None else ()
    return [field.alias or name for name, field in known if (model, name) != (Lesson, "name")]


def _model_in(kind: Any) -> Any:
    """Returns the model that a type holds, None for none."""
    from pydantic import BaseModel

    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((found for part in get_args(kind) if (found := _model_in(part)) is not None), None)


def _placed(place: tuple[str | int, ...], what: str, values: Any, root: Node | None, file: str) -> str:
    path = _path(_existing(place, values)) or "lesson"
    return f"{file}, line {_line_of(root, place)}: {path}: {' '.join(what.split())}"


_COUNTED: Final = {"steps": "step", "requests": "request", "ask": "question", "arms": "arm", "show": "exhibit"}


def _path(keys: list[str | int]) -> str:
    """Writes where a field stands, things in lists counted from 1: ``step 3, request 1, user``."""
    parts: list[str] = []
    for key in keys:
        if isinstance(key, int):
            before = parts.pop() if parts else ""
            parts.append(f"{_COUNTED.get(before, before)} {key + 1}")
        else:
            parts.append(key)
    return ", ".join(filter(None, parts))


def _existing(place: tuple[str | int, ...], values: Any) -> list[str | int]:
    """Returns the part of a path that a writer knows: pydantic also names kinds of values."""
    path: list[str | int] = []
    for number, key in enumerate(place):
        last = number == len(place) - 1
        if (isinstance(values, dict) and key in values) or (
            isinstance(values, list) and isinstance(key, int) and key < len(values)
        ):
            values = values[key]
        elif not (last and isinstance(values, dict)):  # the last may be missing
            continue
        path.append(key)
    return path


def _line_of(root: Node | None, place: tuple[str | int, ...]) -> int:
    """Returns the line of a field, or of the nearest thing above that exists."""
    import yaml

    node = root
    line = root.start_mark.line if root is not None else 0
    for key in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((name, value) for name, value in node.value if name.value == key), None)
            if found is not None:
                name, node = found
                line = name.start_mark.line
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line
    return line + 1
