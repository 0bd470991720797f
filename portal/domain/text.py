"""Which signs a line of text holds: none that breaks it, turns its direction or cannot be seen."""

from __future__ import annotations

UNSEEN = r"\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
"""Within a class of a regular expression. Joiners stay: names in some scripts need them."""
ONE_LINE = rf"^[^{UNSEEN}]*$"
SAYS_SOMETHING = rf"^[^{UNSEEN}]*[^ {UNSEEN}][^{UNSEEN}]*$"
"""One line that is not blank."""
