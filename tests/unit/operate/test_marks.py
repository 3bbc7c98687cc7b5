from functions.operate.desk import Desk
from functions.operate.marks import State
from functions.operate.place import Place
from tests.unit.operate.world import settle

PLACE, SINCE = Place("user-login", 3, 345), Place("user-login", 3, 1000)


def test_one_of_two_redrives_gets_a_record(desk: Desk) -> None:
    mark = desk.marks.claim(PLACE, None, "one", SINCE)
    assert mark
    assert desk.marks.claim(PLACE, None, "two", SINCE) is None
    assert desk.marks.all() == {PLACE: mark}
    assert (mark.state, mark.times, mark.since) == (State.SENDING, 1, SINCE)


def test_a_claim_that_took_effect_and_is_tried_again_is_held(desk: Desk) -> None:
    mark = desk.marks.claim(PLACE, None, "one", SINCE)
    assert mark
    assert desk.marks._put(mark, None)


def test_a_mark_is_sent_by_its_owner_alone(desk: Desk) -> None:
    mark = desk.marks.claim(PLACE, None, "one", SINCE)
    assert mark
    assert not desk.marks.sent(mark._replace(owner="two"))
    assert desk.marks.sent(mark)
    assert desk.marks.all()[PLACE].state is State.SENT


def test_another_time_counts_on(desk: Desk) -> None:
    first = desk.marks.claim(PLACE, None, "one", SINCE)
    assert first
    assert desk.marks.sent(first)
    seen = desk.marks.all()[PLACE]
    second = desk.marks.claim(PLACE, seen, "two", SINCE)
    assert second
    assert second.times == 2
    assert desk.marks.claim(PLACE, seen, "three", SINCE) is None
    desk.marks.release(second, seen)
    assert desk.marks.all()[PLACE] == seen


def test_what_was_left_unfinished_is_the_same_time(desk: Desk) -> None:
    left = desk.marks.claim(PLACE, None, "one", SINCE)
    taken = desk.marks.claim(PLACE, left, "two", SINCE)
    assert taken
    assert taken.times == 1
    assert left
    desk.marks.release(left, None)  # of somebody else by now
    assert desk.marks.all() == {PLACE: taken}
    desk.marks.release(taken, None)
    assert desk.marks.all() == {}


def test_marks_are_no_positions_and_positions_no_marks(desk: Desk) -> None:
    settle(desk, 3, 400)
    assert desk.marks.claim(PLACE, None, "one", SINCE)
    assert list(desk.ledger.positions("logins", "user-login")) == [3]
    assert list(desk.marks.all()) == [PLACE]
