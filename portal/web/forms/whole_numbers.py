"""A field for a whole number that has one sentence for all that it refuses."""

from __future__ import annotations

from wtforms import IntegerField
from wtforms.form import BaseForm
from wtforms.validators import NumberRange, Optional, StopValidation


class WholeNumberField(IntegerField):
    """What is no number, or nothing, is refused with the words of the field's NumberRange."""

    def pre_validate(self, form: BaseForm) -> None:
        if not self.process_errors or self._may_be_empty():
            return
        words = next((v.message for v in self.validators if isinstance(v, NumberRange)), None)
        if words is not None:
            self.errors = []
            raise StopValidation(words)

    def _may_be_empty(self) -> bool:
        typed = "".join(str(each) for each in self.raw_data or ())
        return not typed.strip() and any(isinstance(v, Optional) for v in self.validators)
