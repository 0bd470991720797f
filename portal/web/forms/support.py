"""The forms about support views: finding an account, starting a view, and letting staff look."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SearchField

from portal.web.forms.lazily import _

LONGEST_SEARCH = 320


def _storable(typed: str | None) -> str | None:
    """Without the sign that no database holds."""
    return typed.replace("\0", "") if typed else typed


class AccountSearchForm(FlaskForm):
    """Sent by GET."""

    class Meta:
        csrf = False

    q = SearchField(_("Find an account"), filters=[_storable])

    @property
    def text(self) -> str:
        return (self.q.data or "").strip()[:LONGEST_SEARCH]
