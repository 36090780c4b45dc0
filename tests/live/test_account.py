"""Published messages add up, and one that is nowhere is unaccounted for."""

from tools.live.account import SETTLED, Account


def settle(account: Account, **places: int) -> dict[str, int | bool]:
    for _ in range(SETTLED):
        account.look(places)
    return account.look(places)


def test_what_others_publish_is_counted_where_it_is_found() -> None:
    account = Account()
    assert account.look({"waiting": 3})["published"] == 3
    assert settle(account, stored=2, waiting=1) == {"published": 3, "purged": 0, "missing": 0, "settled": True}


def test_a_message_that_is_nowhere_is_missing_and_one_that_moves_is_not_yet_lost() -> None:
    account = Account()
    settle(account, waiting=3)
    assert account.look({"stored": 2}) == {"published": 3, "purged": 0, "missing": 1, "settled": False}
    assert settle(account, stored=2) == {"published": 3, "purged": 0, "missing": 1, "settled": True}
    account.purged(1)
    assert settle(account, stored=2)["missing"] == 0


def test_a_message_that_is_seen_twice_on_its_way_is_counted_once() -> None:
    account = Account()
    settle(account, dead=1)
    account.look({"dead": 1, "waiting": 1})
    assert settle(account, stored=1) == {"published": 1, "purged": 0, "missing": 0, "settled": True}


def test_what_is_being_published_is_counted_once() -> None:
    account = Account()
    with account.publishing() as numbers:
        assert settle(account, waiting=5)["settled"] is False
        numbers.append(5)
    assert settle(account, stored=5)["published"] == 5
