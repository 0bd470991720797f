"""Words of a form, which is built before anybody's language is known."""

from __future__ import annotations

from typing import Any, cast

from flask_babel import lazy_gettext
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]


def option(value: str, label: str) -> Any:
    """One choice of a field. WTForms' type stubs do not know the class yet."""
    return SelectChoice(value, label)


def _(text: str) -> str:
    """The translation at the moment it is shown."""
    return cast(str, lazy_gettext(text))
