"""A line that is typed: what its field refuses, told beside it."""

from __future__ import annotations

from wtforms.validators import Regexp

from portal.domain.text import ONE_LINE
from portal.web.forms.lazily import _

LINE = Regexp(ONE_LINE, message=_("Enter it without line breaks and invisible signs"))
