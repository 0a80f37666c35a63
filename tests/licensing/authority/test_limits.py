"""Rate limits: per address, per code, per activation; shared by all processes; unsigned and harmless."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from licensing.authority.config import Limits
from licensing.authority.limits.models import RateBucket
from licensing.authority.limits.rules import Rule, applies_to, network_of, per_minute, taken, wait
from licensing.authority.limits.service import forget_full_buckets
from server.core import clock
from tests.licensing.authority.stage import Vendor, running_vendor
from tests.licensing.authority.stranger import Problem, Reply, Stranger
from tests.support.postgres import Cluster

WIDE = {f"limits.{name}": "100000" for name in ("per_ip_minute", "challenge_per_minute")} | {
    "limits.activation_per_minute": "100000"
}


def refused(reply: Reply) -> bool:
    if reply.status == 200:
        return False
    assert (reply.status, reply.json["code"]) == (429, "E_RATE")
    assert int(reply.headers["Retry-After"]) >= 1
    return True


def test_a_bucket_lets_a_burst_in_and_then_one_at_a_time() -> None:
    rule, full_at, now = Rule("x", 3, 10.0), 0.0, 1000.0
    for _request in range(3):
        after = taken(rule, full_at, now)
        assert after is not None
        full_at = after

    assert taken(rule, full_at, now) is None
    assert wait(rule, full_at, now) == 10
    assert taken(rule, full_at, now + 9.9) is None
    assert taken(rule, full_at, now + 10) is not None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unix:", "unix:"),
    ],
)
def test_whom_a_limit_counts_as_one_caller(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("limits", "address", "applies"),
    [
        (Limits(), "127.0.0.1", True),
        (Limits(loopback=False), "127.0.0.1", False),
        (Limits(loopback=False), "::1", False),
        (Limits(loopback=False), "192.0.2.1", True),
        (Limits(enabled=False), "192.0.2.1", False),
        (Limits(loopback=False), "", True),
    ],
)
def test_whom_limits_apply_to(limits: Limits, address: str, *, applies: bool) -> None:
    assert applies_to(limits, address) is applies


def test_an_address_may_ask_so_often_a_minute(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here({"limits.per_ip_minute": "20"})
    with time_machine.travel(clock.now(), tick=False):
        replies = [vendor.send("GET", "/v1/keyset", None) for _request in range(25)]

        assert [refused(reply) for reply in replies] == [False] * 20 + [True] * 5
    with time_machine.travel(clock.now() + timedelta(seconds=61)):
        assert not refused(vendor.send("GET", "/v1/keyset", None))


def test_challenges_are_counted_on_their_own(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here({})
    with time_machine.travel(clock.now(), tick=False):
        replies = [vendor.send("GET", "/v1/challenge", None) for _request in range(12)]

        assert [refused(reply) for reply in replies] == [False] * 10 + [True] * 2
        assert not refused(vendor.send("GET", "/v1/keyset", None))


def test_activations_are_limited_for_each_address(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here({})
    with time_machine.travel(clock.now(), tick=False):
        replies = [vendor.send("POST", "/v1/activations", b"{}") for _request in range(7)]

    assert [reply.status for reply in replies] == [400] * 5 + [429] * 2


def test_a_code_can_be_tried_so_often_a_day(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here({**WIDE, "limits.activation_per_code_day": "4"})
    issued, other = vendor.sell(), vendor.sell()
    with time_machine.travel(clock.now(), tick=False):
        for _attempt in range(4):
            assert vendor.stranger().activate(issued.code, code_proof="0" * 64).code == "E_CODE"

        with pytest.raises(Problem) as too_many:
            vendor.stranger().activate(issued.code)
        assert (too_many.value.status, too_many.value.code) == (429, "E_RATE")
        assert vendor.stranger().activate(other.code).kind == "bundle"
    with time_machine.travel(clock.now() + timedelta(days=1)):
        assert vendor.stranger().activate(issued.code).kind == "bundle"


def test_a_lost_reply_costs_nothing(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here({**WIDE, "limits.activation_per_code_day": "1"})
    issued, server = vendor.sell(), vendor.stranger()
    first = server.activate(issued.code)

    assert all(server.again("/v1/activations").raw == first.raw for _attempt in range(3))


def test_an_activation_may_check_in_so_often(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here(WIDE)
    server = activated(vendor)
    with time_machine.travel(clock.now(), tick=False):
        for _request in range(10):
            assert server.check_in().kind == "lease"
        held = dict(server.lease)
        with pytest.raises(Problem) as too_many:
            server.check_in()

        assert (too_many.value.code, too_many.value.reply.headers["Retry-After"]) == (
            "E_RATE",
            "300",
        )
        assert activated(vendor).check_in().kind == "lease"
    with time_machine.travel(clock.now() + timedelta(seconds=301)):
        assert server.check_in().payload["seq"] == held["seq"] + 1


def test_nobody_uses_up_the_check_ins_of_another(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here({**WIDE, "limits.checkin_burst": "1"})
    server = activated(vendor)
    thief = server.twin()
    thief.key = vendor.stranger().key
    for _attempt in range(3):
        with pytest.raises(Problem, match="E_SIGNATURE"):
            thief.check_in()

    assert server.check_in().kind == "lease"


def test_a_server_may_leave_so_often_a_day(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here(WIDE)
    server = activated(vendor)
    with time_machine.travel(clock.now(), tick=False):
        proof, leaving = server.deactivate("move"), server.last_request
        assert [server.deactivate("move").code for _attempt in range(2)] == ["E_DEACTIVATED"] * 2
        with pytest.raises(Problem, match="E_RATE"):
            server.deactivate("move")

        assert server.ask("/v1/deactivations", leaving).raw == proof.raw


def test_full_buckets_are_forgotten(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here({})
    vendor.send("GET", "/v1/keyset", None)
    forget_full_buckets(vendor.database)
    with vendor.database.read() as session:
        assert [bucket.key for bucket in session.query(RateBucket)] == ["address:127.0.0.1"]

    with time_machine.travel(clock.now() + timedelta(minutes=2)):
        forget_full_buckets(vendor.database)
    with vendor.database.read() as session:
        assert session.query(RateBucket).count() == 0


def test_all_processes_count_together(tmp_path: Path, postgres_cluster: Cluster) -> None:
    """One challenge a minute: of many at once, through two processes, exactly one comes through."""
    url = postgres_cluster.url(postgres_cluster.create_database())
    changes = {"limits.challenge_per_minute": "1"}
    with running_vendor(tmp_path / "home", url, changes) as vendor, ThreadPoolExecutor(12) as pool:
        replies = list(
            pool.map(lambda _number: vendor.send("GET", "/v1/challenge", None), range(12))
        )

    assert [refused(reply) for reply in replies].count(False) == 1


def test_limits_can_be_told_to_leave_this_machine_alone(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here({"limits.loopback": "false", "limits.per_ip_minute": "1"})

    assert not any(refused(vendor.send("GET", "/v1/keyset", None)) for _request in range(5))


def test_a_rule_of_one_a_minute_waits_a_minute() -> None:
    rule = per_minute("x", "y", 1)

    assert (rule.key, rule.burst, rule.interval) == ("x:y", 1, 60)


def activated(vendor: Vendor) -> Stranger:
    server = vendor.stranger()
    server.activate(vendor.sell().code)
    return server


def test_a_refusal_is_a_problem_document(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here({"limits.per_ip_minute": "1"})
    vendor.send("GET", "/v1/keyset", None)
    reply = vendor.send("GET", "/v1/keyset", None)

    assert reply.headers["Content-Type"] == "application/problem+json"
    assert json.loads(reply.body)["status"] == 429
