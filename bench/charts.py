"""Draws charts as SVG, each with its axes and their titles, that can be read on a light and on a dark page."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import count, takewhile

WIDTH, LEFT, RIGHT, TOP, BAR, GAP = 720, 170, 70, 74, 18, 14
COLORS = ("#2a78d6", "#e08a1e", "#8a63d2", "#6b7280", "#1a9e6f")
"""Ours first; each is at least 3:1 against white and against black."""
_STYLE = "<style>text{font:12px system-ui,sans-serif;fill:#6b7280}.t{font-weight:600;font-size:14px}</style>"
Groups = Mapping[str, Mapping[str, float]]


def bars(title: str, groups: Groups, *, unit: str) -> str:
    """Draw horizontal bars on a logarithmic axis: a group for each key, a bar with its figure for each series."""
    values = [value for group in groups.values() for value in group.values()]
    low, high = math.floor(math.log10(min(values))), math.log10(max(values))
    scale = (WIDTH - LEFT - RIGHT) / (high - low)
    series = list(dict.fromkeys(name for group in groups.values() for name in group))
    parts, y = [], TOP
    for name, group in groups.items():
        parts.append(_text(LEFT - 10, y + len(group) * BAR / 2 + 4, name, anchor="end"))
        for kind, value in group.items():
            length = (math.log10(value) - low) * scale
            parts.append(_bar(LEFT, y, length, COLORS[series.index(kind)]))
            parts.append(_text(LEFT + length + 6, y + BAR - 6, _figure(value)))
            y += BAR
        y += GAP
    ticks = {10**power: LEFT + (power - low) * scale for power in range(low, math.floor(high) + 1)}
    return _page(title, series, [*_across(ticks, y, f"{unit}, on a logarithmic scale"), *parts], y + 40)


def stacks(title: str, groups: Groups, *, unit: str) -> str:
    """Draw one horizontal bar for each key, made of its parts, with their sum."""
    most = max(sum(group.values()) for group in groups.values())
    scale = (WIDTH - LEFT - RIGHT) / most
    series = list(next(iter(groups.values())))
    parts, y = [], TOP
    for name, group in groups.items():
        parts.append(_text(LEFT - 10, y + BAR - 6, name, anchor="end"))
        x = float(LEFT)
        for color, value in zip(COLORS, group.values(), strict=True):
            parts.append(_bar(x, y, value * scale, color))
            x += value * scale
        parts.append(_text(x + 6, y + BAR - 6, _figure(sum(group.values()))))
        y += BAR + 6
    ticks = {tick: LEFT + tick * scale for tick in _ticks(most)}
    return _page(title, series, [*_across(ticks, y, unit), *parts], y + 40)


def lines(title: str, curves: Mapping[str, Sequence[tuple[float, float]]], *, unit: str, along: str) -> str:
    """Draw curves of points over common axes; zero lies above the frame, so that a line on it is seen."""
    left, height, above = 90, 220, 8
    most_x, most_y = (max(point[axis] for curve in curves.values() for point in curve) for axis in (0, 1))
    width, zero = WIDTH - left - 30, TOP + height - above
    across = {tick: left + width * tick / most_x for tick in _ticks(most_x)}
    parts = _across(across, TOP + height, along)
    parts.append(_text(left - 8, TOP - 4, unit, anchor="end"))
    for tick in _ticks(most_y):
        y = zero - (zero - TOP) * tick / most_y
        parts.append(f'<path d="M{left} {y:.1f}H{left + width}" stroke="#6b7280" stroke-opacity=".25"/>')
        parts.append(_text(left - 8, y + 4, _figure(tick), anchor="end"))
    for color, curve in zip(COLORS, curves.values(), strict=False):
        points = " ".join(f"{left + width * x / most_x:.1f},{zero - (zero - TOP) * y / most_y:.1f}" for x, y in curve)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
    most = [f"{name}, at most {_figure(max(y for _, y in curve))}" for name, curve in curves.items()]
    return _page(title, most, parts, TOP + height + 40)


def _ticks(most: float) -> list[float]:
    """Round figures from 0 up to the most: four to nine of them."""
    power = 10.0 ** math.floor(math.log10(most))
    step = power / 5 if most < 2 * power else power / 2 if most < 5 * power else power
    return list(takewhile(lambda tick: tick <= most, (step * number for number in count())))


def _across(ticks: Mapping[float, float], bottom: float, title: str) -> list[str]:
    """Draw the horizontal axis: a line and a figure for each tick, at its place, and the title below."""
    parts = [
        f'<path d="M{x:.1f} {TOP - 6}V{bottom:.1f}" stroke="#6b7280" stroke-opacity=".25"/>' for x in ticks.values()
    ]
    parts += [_text(x, bottom + 14, _figure(tick), anchor="middle") for tick, x in ticks.items()]
    return [*parts, _text(sum(ticks.values()) / len(ticks), bottom + 32, title, anchor="middle")]


def _page(title: str, series: Sequence[str], parts: Sequence[str], height: float) -> str:
    legend, x = [], 12.0
    for color, name in zip(COLORS, series, strict=False):
        legend.append(f'<rect x="{x:.0f}" y="36" width="10" height="10" rx="2" fill="{color}"/>')
        legend.append(_text(x + 15, 45, name))
        x += 34 + 6.6 * len(name)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
    label = f'<title>{escape(title)}</title>{_STYLE}<text class="t" x="12" y="22">{escape(title)}</text>'
    return "\n".join([head, label, *legend, *parts, "</svg>"]) + "\n"


def _bar(x: float, y: float, length: float, color: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{BAR - 3}" fill="{color}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
