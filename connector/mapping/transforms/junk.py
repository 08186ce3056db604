"""Doubt what people type to get past a form: guests' names, phones of one digit, addresses that nobody reads."""

import re

from connector.mapping.fold import fold

_ENGLISH = (
    "guest, walk in, walk-in, walkin, walk-in customer, customer, cash, cash customer, client, user, test, testing, "
    "unknown, none, null, n/a, na, no name, noname, anonymous"
)
_ARABIC = "ضيف, زائر, زبون, عميل, عميل نقدي, عميل عام, مجهول, بدون اسم, لا يوجد, تجربة, اختبار"
# Who orders through a delivery app reaches the till under the app's name.
_APPS = (
    "hungerstation, hunger station, jahez, keeta, talabat, mrsool, toyou, the chefz, "
    "هنقرستيشن, هنجرستيشن, جاهز, كيتا, طلبات, مرسول, تويو, ذا شفز"
)
_NAMES = frozenset(map(fold, f"{_ENGLISH}, {_ARABIC}, {_APPS}".split(", ")))
_NUMBERED = re.compile(r"[\s#_.-]*[0-9]*$")
_BOXES = (
    "noemail, no-email, no_email, nomail, no-mail, noreply, no-reply, none, null, na, test, testing, guest, email, "
    "xxx, asdf"
)
_MAILBOXES = frozenset(_BOXES.split(", "))
_MASKED = re.compile(r"\*|\[email.?protected\]", re.IGNORECASE)
_LONGEST, _TAIL, _SHORT = 100, 7, 2
_COUNTED = "1234567890"


def junk_name(name: str) -> str | None:
    """Say why a name is nobody's, None when it may be somebody's."""
    folded = fold(name[:_LONGEST])
    if not any(char.isalpha() for char in folded):
        return "holds no letter"
    if _NUMBERED.sub("", folded) in _NAMES:
        return "looks like nobody's name"
    letters = {char for char in folded if char.isalpha()}
    return "looks like nobody's name" if len(letters) == 1 and len(folded) > 2 else None


def junk_phone(e164: str) -> str | None:
    """Say why a number is made up (0500000000), None when it may be real."""
    tail = e164[-_TAIL:]
    return "looks made up (one digit all over)" if tail == tail[0] * _TAIL else None


def junk_number(number: str) -> str | None:
    """Say why a VAT or commercial registration number is made up (300000000000003), None when it may be real."""
    inside = number[1:-1]
    made_up = number == _COUNTED or inside == inside[0] * len(inside)
    return "looks made up (one digit all over, or counted up)" if made_up else None


def junk_email(address: str) -> str | None:
    """Say why a well-formed address is nobody's (test1@…, a@a.com, 111@…), None when it may be somebody's."""
    mailbox, _, domain = address.lower().partition("@")
    word = mailbox.rstrip("0123456789")
    twice = mailbox == domain.partition(".")[0] and (len(mailbox) <= _SHORT or mailbox.isdecimal())
    listed = mailbox in _MAILBOXES or (len(word) > _SHORT and word in _MAILBOXES)
    one_sign = len(mailbox) > _SHORT and mailbox == mailbox[0] * len(mailbox)
    return "looks like nobody's e-mail address" if listed or twice or one_sign else None


def masked(text: str) -> bool:
    """Tell whether an e-mail address was masked by a web page or an app: s***@example.com, [email protected]."""
    return _MASKED.search(text) is not None
