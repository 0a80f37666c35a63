"""The vectors of the two tables of the protocol, written out by hand: check-ins and the ladder."""

from tests.licensing.authority.stranger import Json

NOW = 1_800_000_000
DAY = 86_400
END = NOW + 365 * DAY - 1  # the last paid second


def check_in_cases() -> Json:
    """Return what a check-in means for each chain and each nonce."""

    def case(
        name: str,
        chain: tuple[int, int, int, bool],
        shown: tuple[int, str, bool],
        after: tuple[str, int, int, int, bool],
        notices: tuple[str, ...] = (),
    ) -> Json:
        seq, forks, clean, held = chain
        presented, nonce, repeat = shown
        meaning, seq_after, forks_after, clean_after, held_after = after
        return {
            "name": name,
            "chain": {"seq": seq, "forks": forks, "clean": clean, "held": held},
            "presented": {"seq": presented, "nonce": nonce, "same_bytes_as_last": repeat},
            "meaning": meaning,
            "after": {
                "seq": seq_after,
                "forks": forks_after,
                "clean": clean_after,
                "held": held_after,
            },
            "notices": list(notices),
        }

    resync, review = "STATE_RESYNC", "CLONE_REVIEW"
    cases = [
        case(
            "the reply was lost", (7, 0, 3, False), (8, "stale", True), ("repeat", 7, 0, 3, False)
        ),
        case("normal", (7, 0, 3, False), (8, "head", False), ("advance", 8, 0, 4, False)),
        case(
            "a damaged counter, too low",
            (7, 0, 3, False),
            (3, "head", False),
            ("resync", 8, 0, 0, False),
            (resync,),
        ),
        case(
            "a damaged counter, too high",
            (7, 0, 3, False),
            (90, "head", False),
            ("resync", 91, 0, 0, False),
            (resync,),
        ),
        case(
            "a restored snapshot",
            (40, 0, 39, False),
            (12, "stale", False),
            ("resync", 41, 0, 0, False),
            (resync,),
        ),
        case(
            "a snapshot keeps the forks",
            (40, 1, 39, False),
            (12, "stale", False),
            ("resync", 41, 1, 0, False),
            (resync,),
        ),
        case(
            "the first fork",
            (9, 0, 5, False),
            (8, "abandoned", False),
            ("resync", 10, 1, 0, False),
            (resync,),
        ),
        case(
            "an unknown nonce is a fork",
            (9, 0, 5, False),
            (8, "unknown", False),
            ("resync", 10, 1, 0, False),
            (resync,),
        ),
        case(
            "the second fork is reviewed",
            (9, 1, 0, False),
            (8, "abandoned", False),
            ("resync", 10, 2, 0, False),
            (resync, review),
        ),
        case(
            "the fifth is still served",
            (9, 4, 0, False),
            (8, "abandoned", False),
            ("resync", 10, 5, 0, False),
            (resync, review),
        ),
        case(
            "the sixth is held", (9, 5, 0, False), (8, "abandoned", False), ("hold", 9, 6, 0, True)
        ),
        case("held is held", (9, 6, 0, True), (10, "head", False), ("hold", 9, 6, 0, True)),
        case(
            "a held reply is repeated too",
            (9, 6, 0, True),
            (10, "head", True),
            ("repeat", 9, 6, 0, True),
        ),
        case(
            "a review is told until it is forgotten",
            (9, 2, 10, False),
            (10, "head", False),
            ("advance", 10, 2, 11, False),
            (review,),
        ),
        case(
            "sixty clean ones forget",
            (70, 5, 59, False),
            (71, "head", False),
            ("advance", 71, 0, 0, False),
        ),
    ]
    return {"review_forks": 2, "hold_forks": 6, "clean_check_ins": 60, "cases": cases}


def ladder_cases() -> Json:
    """Return which mode holds when; `now` is the effective time."""

    def case(name: str, now: int, mode: str, reason: str, **standing: object) -> Json:
        return {"name": name, "now": now, **standing, "mode": mode, "reason": reason}

    fresh = {"issued_at": NOW}
    near = {"issued_at": END - DAY}  # contact is not the matter
    users = {"named_used": 26, "seats_over_since": NOW}
    cases = [
        case("fresh", NOW, "ok", "fresh", lease=fresh),
        case("the last second before 7 days", NOW + 7 * DAY - 1, "ok", "fresh", lease=fresh),
        case("7 days without contact", NOW + 7 * DAY, "warn_admin", "no_contact", lease=fresh),
        case("14 days", NOW + 14 * DAY, "warn_users", "no_contact", lease=fresh),
        case(
            "the last second before 21 days",
            NOW + 21 * DAY - 1,
            "warn_users",
            "no_contact",
            lease=fresh,
        ),
        case("21 days", NOW + 21 * DAY, "read_only", "no_contact", lease=fresh),
        case("30 days", NOW + 30 * DAY, "read_only", "no_contact", lease=fresh),
        case("32 days", NOW + 32 * DAY, "locked", "no_contact", lease=fresh),
        case(
            "10 days before the end",
            END - 10 * DAY,
            "warn_expiry",
            "term_ending",
            lease={"issued_at": END - 11 * DAY},
        ),
        case(
            "a second earlier",
            END - 10 * DAY - 1,
            "ok",
            "fresh",
            lease={"issued_at": END - 11 * DAY},
        ),
        case("the last paid second", END, "warn_expiry", "term_ending", lease=near),
        case("the first unpaid second", END + 1, "locked", "term_ended", lease=near),
        case(
            "a day of grace",
            END + 1,
            "warn_expiry",
            "term_ending",
            lease=near,
            license={"grace_days": 1},
        ),
        case(
            "grace is over",
            END + 1 + DAY,
            "locked",
            "term_ended",
            lease=near,
            license={"grace_days": 1},
        ),
        case(
            "perpetual",
            END + 1,
            "ok",
            "fresh",
            lease=near,
            license={"kind": "perpetual", "expires_at": None},
        ),
        case("as many users as seats", NOW, "ok", "fresh", lease=fresh, named_used=25),
        case("one user too many", NOW, "warn_admin", "seats_over_cap", lease=fresh, **users),
        case(
            "for 14 days",
            NOW + 14 * DAY,
            "read_only",
            "seats_over_cap",
            lease={"issued_at": NOW + 13 * DAY},
            **users,
        ),
        case(
            "suspended", NOW, "locked", "suspended", lease={"issued_at": NOW, "status": "suspended"}
        ),
        case("revoked", NOW, "locked", "revoked", lease={"issued_at": NOW, "status": "revoked"}),
        case(
            "expired in the lease only informs",
            NOW,
            "ok",
            "fresh",
            lease={"issued_at": NOW, "status": "expired"},
        ),
        case("superseded", NOW, "locked", "superseded", lease=fresh, denial="E_SUPERSEDED"),
        case("deactivated", NOW, "locked", "deactivated", lease=fresh, denial="E_DEACTIVATED"),
        case("held", NOW, "locked", "clone_hold", lease=fresh, denial="E_CLONE_SUSPECTED"),
        case(
            "too old a client stops nothing",
            NOW,
            "ok",
            "fresh",
            lease=fresh,
            denial="E_CLIENT_TOO_OLD",
        ),
        case("not activated", NOW, "setup", "not_activated", lease=None),
        case("not started", NOW - 1, "setup", "not_started", lease={"issued_at": NOW - 1}),
        case("started", NOW, "ok", "fresh", lease={"issued_at": NOW - 1}),
        case(
            "the severest row wins",
            NOW + 33 * DAY,
            "locked",
            "suspended",
            lease={"issued_at": NOW, "status": "suspended"},
        ),
        case(
            "30 days' leases warn later",
            NOW + 14 * DAY,
            "ok",
            "fresh",
            lease=fresh,
            license={
                "checkin": {
                    "interval_s": DAY,
                    "lease_ttl_s": 30 * DAY,
                    "read_only_after_s": 7 * DAY,
                    "lock_after_s": 18 * DAY,
                }
            },
        ),
    ]
    return {
        "license": {
            "starts_at": NOW,
            "expires_at": END,
            "seats": {"named": 25, "concurrent": 25, "service_accounts": 5},
        },
        "cases": cases,
    }
