"""The form that cancels a contract without signing in, and the staff's answer to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import DateField, EmailField, RadioField, StringField, TextAreaField
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    Optional,
    ValidationError,
)

from portal.domain.declarations import (
    LEAST_SAID,
    LONGEST_EMAIL,
    LONGEST_REASON,
    LONGEST_SAID,
    LONGEST_WORDS,
    Answer,
    CancellationKind,
    Declaration,
)
from portal.services.answering import Candidate, Contract
from portal.web.forms.addresses import WRITABLE
from portal.web.forms.lazily import _, option
from portal.web.forms.support import ProofForm, storable
from portal.web.forms.texts import LINE
from portal.web.language import date as day_of


def _plain(typed: str | None) -> str | None:
    stored = storable(typed)
    return stored.strip() if stored else stored


def _line(label: str, missing: str) -> StringField:
    return StringField(
        label,
        [
            DataRequired(missing),
            Length(max=LONGEST_WORDS, message=_("Use at most 255 characters")),
            LINE,
        ],
        filters=[_plain],
    )


class DeclarationForm(FlaskForm):
    """What § 312k(2) BGB lets us ask for, and nothing else. today: where it is declared."""

    today = date.min

    kind = RadioField(
        _("Kind of cancellation"),
        [InputRequired(_("Choose the kind of cancellation"))],
        choices=[
            option(CancellationKind.ORDINARY.value, _("Ordinary")),
            option(CancellationKind.FOR_CAUSE.value, _("For cause")),
        ],
        default=CancellationKind.ORDINARY.value,
    )
    reason = TextAreaField(
        _("Reason"),
        [Length(max=LONGEST_REASON, message=_("Use at most 1,000 characters"))],
        filters=[_plain],
    )
    name = _line(_("Your name"), _("Enter your name"))
    identification = _line(
        _("Account or invoice"), _("Enter the account's name or number, or that of an invoice")
    )
    contract = _line(_("Contract"), _("Enter the name of the plan or add-on"))
    wanted_on = DateField(_("To end on"), [Optional()])
    email = EmailField(
        _("E-mail"),
        [
            DataRequired(_("Enter your e-mail address")),
            Length(max=LONGEST_EMAIL, message=_("Use at most 320 characters")),
            WRITABLE,
        ],
        filters=[_plain],
    )

    def validate_reason(self, field: TextAreaField) -> None:
        if self.kind.data == CancellationKind.FOR_CAUSE and not field.data:
            raise ValidationError(gettext("Say what the cause is"))

    def validate_wanted_on(self, field: DateField) -> None:
        if field.data is not None and field.data < self.today:
            raise ValidationError(gettext("Choose today or a later day"))

    def declaration(self) -> Declaration:
        """What was typed, once it is valid."""
        return Declaration(
            kind=CancellationKind(self.kind.data),
            reason=self.reason.data or "",
            name=str(self.name.data),
            identification=str(self.identification.data),
            contract=str(self.contract.data),
            wanted_on=self.wanted_on.data,
            email=str(self.email.data),
        )


class AnswerForm(ProofForm):
    """What staff make of a declaration: a contract of a candidate's, or an answer of their own."""

    act = RadioField(_("What to do"), [InputRequired(_("Choose what to do"))])
    said = TextAreaField(
        _("What we tell them"),
        [Length(max=LONGEST_SAID, message=_("Use 10 to 500 characters"))],
        filters=[_plain],
    )

    _contracts: dict[str, Contract]

    def offering(self, found: Sequence[Candidate]) -> AnswerForm:
        named = [(each.account.name, contract) for each in found for contract in each.contracts]
        self._contracts = {_value(contract): contract for _account, contract in named}
        self.act.choices = [
            *(option(_value(contract), _end_words(name, contract)) for name, contract in named),
            option(Answer.DONE.value, gettext("It is done by other means")),
            option(Answer.NOT_OURS.value, gettext("It is not ours, or not valid")),
        ]
        return self

    def validate_said(self, field: TextAreaField) -> None:
        if self.contract is None and len(field.data or "") < LEAST_SAID:
            raise ValidationError(gettext("Use 10 to 500 characters"))

    @property
    def contract(self) -> Contract | None:
        """What is to end; None for another answer."""
        return self._contracts.get(str(self.act.data))

    @property
    def answer(self) -> Answer:
        return Answer(self.act.data)

    @property
    def words(self) -> str:
        return self.said.data or ""


def _value(contract: Contract) -> str:
    return f"{contract.account_id}-{contract.instance_id or 'plan'}"


def _end_words(account: str, contract: Contract) -> str:
    end: Any = day_of(contract.ends_at)
    if contract.quantity > 1:
        return gettext("Let %(what)s × %(quantity)s of %(account)s end on %(date)s",
                       what=contract.name, quantity=contract.quantity, account=account,
                       date=end)  # fmt: skip
    return gettext("Let %(what)s of %(account)s end on %(date)s", what=contract.name,
                   account=account, date=end)  # fmt: skip
