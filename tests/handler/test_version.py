"""The version of an event: later instants are greater, and equal versions mean equal items."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from functions.process_order.orders import INSTANT, parse
from tests.fakes.events import body

EPOCH = datetime(1, 1, 1, tzinfo=UTC)


@st.composite
def instants(draw: st.DrawFn) -> tuple[int, str]:
    """Draw nanoseconds since the year 1 and one way to spell that instant."""
    moment = draw(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001 - the zone is added below
    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=draw(st.integers(-1439, 1439)))))
    digits = draw(st.text("0123456789", max_size=9))
    nanoseconds = (moment - EPOCH) // timedelta(seconds=1) * 10**9 + int(digits.ljust(9, "0"))
    text = moment.isoformat()
    return nanoseconds, f"{text[:19]}{'.' if digits else ''}{digits}{text[19:]}"


@given(instants(), instants())
@example((1, "2025-05-03T12:00:00.000000001Z"), (2, "2025-05-03T12:00:00.000000002Z"))
@example((1, "2025-05-03T12:00:00.000009Z"), (2, "2025-05-03T14:00:00.00001+02:00"))
@example((0, "0001-01-02T00:00:00.000000001Z"), (0, "0001-01-02T00:00:00.000000001Z"))
def test_the_later_instant_has_the_greater_version(one: tuple[int, str], two: tuple[int, str]) -> None:
    spelt = [parse(body(timestamp=text), "~").version[:INSTANT] for _, text in (one, two)]
    assert (spelt[0] < spelt[1]) == (one[0] < two[0])
    assert (spelt[0] == spelt[1]) == (one[0] == two[0])


def test_the_version_of_the_example_never_changes() -> None:
    # A stored version is compared with those of later releases: another hash would change who wins a tie.
    assert parse(body()).version == "2025-05-03T12:00:00.000000Z#00061e511094fefb5b6a553788d03670d4d"


def test_how_an_order_is_spelt_does_not_matter() -> None:
    plain = parse(body(note={"a": 100, "b": "\u00e9"}))
    again = '{"note": {"b": "\\u00E9", "a": 1.00e2}, "timestamp": "2025-05-03T12:00:00Z", "status": "new",'
    again += ' "quantity": 1.0, "itemName": "Laptop", "userId": "U123", "orderId": "O1234"}'
    assert parse(f"\n {again}\t\r\n") == plain


values: st.SearchStrategy[Any] = st.sampled_from(
    [0, 1, "1", "", None, True, False, [], {}, [1], ["1"], {"a": 1}, {"a": "1"}, 1.5, 1e30, [[]]]
)
similar: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["new", "paid"]),
        "quantity": st.sampled_from([1, 1.0, 2]),
        "timestamp": st.sampled_from(["2025-05-03T12:00:00Z", "2025-05-03T12:00:00.0Z", "2025-05-03T14:00:00+02:00"]),
    },
    optional={"note": values, "extra": values, "version": values},
)


@given(similar, similar)
def test_versions_are_equal_if_and_only_if_the_items_are(one: dict[str, Any], two: dict[str, Any]) -> None:
    first, second = parse(body(**one)), parse(body(**two))
    assert (first.version == second.version) == (first.item == second.item)
    same = {**first.item, "version": None} == {**second.item, "version": None}
    assert same == (first.item == second.item)
