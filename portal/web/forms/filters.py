"""The filter bar of the add-ons grid, sent by GET."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SearchField, SelectField

from portal.queries.addons import Cadence, Filters
from portal.web.forms.lazily import _, option


class FilterForm(FlaskForm):
    class Meta:
        csrf = False

    cadence = RadioField(
        _("Billing"),
        choices=[
            option(Cadence.ALL.value, _("All")),
            option(Cadence.ONE_TIME.value, _("One-time")),
            option(Cadence.RECURRING.value, _("Recurring")),
        ],
        default=Cadence.ALL.value,
    )
    category = SelectField(_("Category"), default="", validate_choice=False)
    buyable = BooleanField(_("I can buy"))
    text = SearchField(_("Search"))

    _known: tuple[str, ...] = ()

    def offering(self, categories: tuple[str, ...]) -> FilterForm:
        self._known = categories
        self.category.choices = [
            option("", _("All categories")),
            *(option(c, c) for c in categories),
        ]
        return self

    def filters(self) -> Filters:
        """What was asked for; anything unknown counts as not asked."""
        cadences = [cadence.value for cadence in Cadence]
        known = self._known
        return Filters(
            cadence=Cadence(self.cadence.data if self.cadence.data in cadences else "all"),
            category=self.category.data if self.category.data in known else "",
            buyable=bool(self.buyable.data),
            text=(self.text.data or "")[:100],
        )
