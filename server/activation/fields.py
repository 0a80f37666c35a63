"""What each field of a message to the vendor means, and why it is sent: for the page and the guide.

A test compares this with the documents themselves, so that nothing is sent that does not stand here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from server.core.i18n import mark


@dataclass(frozen=True)
class Field:
    """One field: what stands in it, and why the vendor needs it. Both are msgids."""

    meaning: str
    why: str


_CHAIN = mark("Answers follow one another without a gap, so that a copied server shows.")
_SELLING = mark("The vendor sees whether the licence fits; numbers only, no names.")

ACTIVATION_FIELDS: Mapping[str, Field] = {
    "challenge": Field(
        mark("A number that the vendor chose a moment ago, or a random one in a file."),
        mark("A recorded request cannot be used again."),
    ),
    "code_id": Field(
        mark("Eight digits of a hash of the activation code."),
        mark("The vendor finds the order by it. The code itself never leaves this server."),
    ),
    "code_proof": Field(
        mark("A proof that this server knows the activation code."),
        mark("Nobody without the code can activate the licence."),
    ),
    "instance_pub": Field(
        mark("The public key that this server made for itself."),
        mark("The licence is bound to it; its private half never leaves this server."),
    ),
    "fp": Field(
        mark("Keyed hashes of parts of the machine, such as its mainboard; not their numbers."),
        mark("A change is told to you. It never locks anything."),
    ),
    "product_version": Field(
        mark("The release of Daftar."), mark("The vendor answers in a form that it understands.")
    ),
    "sent_at": Field(
        mark("The time of this server when the message was made, in Unix seconds."),
        mark("A clock that is wrong is noticed."),
    ),
}
CHECK_IN_FIELDS: Mapping[str, Field] = {
    "activation_id": Field(
        mark("The number of this activation."), mark("The vendor finds the licence by it.")
    ),
    "seq": Field(mark("The running number of the message."), _CHAIN),
    "nonce": Field(mark("The random number of the vendor's last answer."), _CHAIN),
    "client_nonce": Field(
        mark("A random number of this message."), mark("No two messages are the same.")
    ),
    "prev_hash": Field(mark("The hash of the vendor's last answer."), _CHAIN),
    "fp": ACTIVATION_FIELDS["fp"],
    "usage": Field(
        mark("How many users are active, at most signed in at once, and service accounts."),
        _SELLING,
    ),
    "usage.named": Field(mark("How many users are active."), _SELLING),
    "usage.peak_concurrent": Field(mark("How many devices were signed in at once."), _SELLING),
    "usage.service": Field(mark("How many service accounts are active."), _SELLING),
    "clock": Field(
        mark("The clock of this server, and whether it doubts it itself."),
        mark("A clock that is wrong is noticed before it does harm."),
    ),
    "clock.wall": Field(
        mark("The clock of this server in Unix seconds."), mark("A clock that is wrong is noticed.")
    ),
    "clock.suspect": Field(
        mark("Whether this server doubts its own clock."),
        mark("The vendor can tell you before it does harm."),
    ),
    "product_version": ACTIVATION_FIELDS["product_version"],
    "mode": Field(
        mark("How much of Daftar works at the moment, such as ok or read_only."),
        mark("The vendor can help before something stops."),
    ),
    "sent_at": ACTIVATION_FIELDS["sent_at"],
}
DEACTIVATION_FIELDS: Mapping[str, Field] = {
    **CHECK_IN_FIELDS,
    "reason": Field(
        mark("Why the licence is given back: move, refund or end."),
        mark("The same code activates again after a move; after the others it ends."),
    ),
}
