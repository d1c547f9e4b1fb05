"""Many slots under random faults, in short; `python -m tests.soak` does it in full."""

from tests.faults.place import Place
from tests.soak import Soak


def test_hundreds_of_slots_under_random_faults_leave_nothing_behind(place: Place) -> None:
    begun, _, ended = Soak(place, seed=7).run(slots=160, every=80)

    assert ended.slots >= 160
    assert ended.needs.threads <= begun.needs.threads
    assert ended.needs.files == begun.needs.files
    assert ended.needs.connections < ended.needs.threads, "each worker keeps one connection at most"
    # what the interpreter keeps after it has read the largest answers, however many came
    assert ended.needs.kib < begun.needs.kib + 40 * 1024
