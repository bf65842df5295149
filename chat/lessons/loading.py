"""Reads lessons: shipped ones by name, others by path. What is wrong with a file is said with its line and field."""

from __future__ import annotations

from ..errors import UsageError


class LessonError(UsageError):
    """A lesson that cannot be read, or cannot be run; `what` names file, line and field, or the step."""
