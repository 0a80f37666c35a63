"""Which revision of a form may follow which: nothing signed is ever changed. Pure."""

from installer.forms.form import Form
from installer.forms.wording import FormError


def check_succession(before: Form | None, after: Form) -> None:
    """Raise FormError `bad_succession` unless `after` is a lawful next state of `before`."""
    if before is None:
        if after.version != 1 or after.amends:
            raise _refused(after, "the first revision must be version 1")
        return
    if (before.code, before.reference) != (after.code, after.reference):
        raise _refused(after, "it belongs to another delivery")
    _check_visits(before, after)
    if after.version == before.version:
        _check_same_version(before, after)
    elif after.version == before.version + 1:
        _check_amendment(before, after)
    else:
        raise _refused(after, "a version was left out")


def _check_same_version(before: Form, after: Form) -> None:
    if not before.signatures:
        return
    if before.content_hash != after.content_hash:
        raise _refused(after, "a signed version cannot be changed, only amended")
    if after.signatures[: len(before.signatures)] != before.signatures:
        raise _refused(after, "a signature was taken away or replaced")


def _check_amendment(before: Form, after: Form) -> None:
    if not before.signatures or after.amends != before.content_hash or not after.amendment:
        raise _refused(after, "an amendment names a signed version and its reason")


def _check_visits(before: Form, after: Form) -> None:
    for visit in before.visits:
        if visit.signature is not None and after.visit(visit.number) != visit:
            raise _refused(after, f"the signed report of visit {visit.number} was changed")


def _refused(form: Form, reason: str) -> FormError:
    return FormError("bad_succession", code=form.code, reason=reason)
