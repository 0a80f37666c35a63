"""Real processes that race: all of them wait at one gate, then do the same work at the same moment.

They are forks of this process, since importing the product anew for each racer would cost more than the
race, and would string the racers out instead of letting them collide.
"""

import multiprocessing
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from server.core.db import Database

GATE_S = 120.0


def _race(
    gate: Any, answer: Any, run: Callable[..., object], arguments: tuple[object, ...]
) -> None:
    try:
        gate.wait(GATE_S)
        answer.send((run(*arguments), None))
    except BaseException:
        answer.send((None, traceback.format_exc()))
        raise


def race(
    database: Database, run: Callable[..., object], lanes: Sequence[tuple[object, ...]]
) -> list[object]:
    """Run the function once for each lane's arguments, all at once; return what they returned.

    Each racer opens the database anew by `database.url`. A racer that raises fails the test.
    """
    database.dispose()  # no connection may cross a fork
    forking = multiprocessing.get_context("fork")
    gate = forking.Barrier(len(lanes))
    racers, ears = [], []
    for lane in lanes:
        ear, mouth = forking.Pipe(duplex=False)
        racer = forking.Process(target=_race, args=(gate, mouth, run, lane))
        racer.start()
        mouth.close()
        racers.append(racer)
        ears.append(ear)
    found = [ear.recv() for ear in ears]
    for racer in racers:
        racer.join()
    faults = [fault for _result, fault in found if fault is not None]
    assert not faults, faults[0]
    return [result for result, _fault in found]
