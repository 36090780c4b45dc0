"""Charts can be read: their axes have titles and round figures, and what they draw is what the tables say."""

import re

import pytest

from bench import charts, results
from bench.drawings import burst_chart


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@pytest.mark.parametrize("most", [0.7, 3, 19, 673, 1999, 878_910])
def test_an_axis_has_four_to_ten_round_figures_and_a_title(most: float) -> None:
    svg = charts.lines("Waiting", {"ours": [(0, 0), (most, 10)]}, unit="events", along="seconds")
    assert {"events", "seconds"} <= set(texts(svg))
    ticks = [float(text.replace(",", "")) for text in re.findall(r'anchor="middle">([\d.,]+)<', svg)]
    step = ticks[1]
    assert ticks == pytest.approx([step * number for number in range(len(ticks))])
    assert 4 <= len(ticks) <= 10
    assert f"{step:e}"[0] in "125"


def test_a_line_on_zero_lies_above_the_frame() -> None:
    svg = charts.lines("Waiting", {"a": [(0, 0), (9, 100)], "b": [(0, 0), (9, 0)]}, unit="events", along="seconds")
    frame = max(float(bottom) for bottom in re.findall(r"V([\d.]+)", svg))
    [zero] = {float(y) for points in re.findall(r'points="([^"]+)"', svg)[1:] for y in re.findall(r",([\d.]+)", points)}
    assert zero < frame - 2


def test_a_logarithmic_axis_names_itself_and_its_powers() -> None:
    svg = charts.bars("Rate", {"batch of 1": {"ours": 168, "original": 165}, "of 100": {"ours": 12_000}}, unit="orders")
    assert {"100", "1,000", "10,000", "orders, on a logarithmic scale"} <= set(texts(svg))


def test_the_burst_chart_shows_the_peak_of_the_table() -> None:
    known = results.load()
    svg = burst_chart(known)
    for row in known["scale"]["rows"][-2:]:
        assert any(text.endswith(f"at most {row['waiting']:,}") for text in texts(svg))
