"""Draws charts as SVG: bars and lines that can be read on a light and on a dark page."""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, LEFT, RIGHT, BAR, GAP = 720, 170, 70, 18, 14
COLORS = ("#2a78d6", "#e08a1e", "#8a63d2", "#6b7280", "#1a9e6f", "#c9415f")
"""Ours first; each is at least 3:1 against white and against black."""
_STYLE = "<style>text{font:12px system-ui,sans-serif;fill:#6b7280}.t{font-weight:600;font-size:14px}</style>"


def bars(
    title: str, groups: Mapping[str, Mapping[str, float]], *, unit: str, series: Sequence[str], log: bool = False
) -> str:
    """Draw horizontal bars: a group of them for each key, one for each of `series`, each with its figure."""
    most = max(value for group in groups.values() for value in group.values())
    scale = (WIDTH - LEFT - RIGHT) / (math.log10(most) + 1 if log else most)
    parts, y = [], 62
    for name, group in groups.items():
        height = len(group) * BAR
        parts.append(_text(LEFT - 10, y + height / 2 + 4, name, anchor="end"))
        for kind in [kind for kind in series if kind in group]:
            value = group[kind]
            length = max(1.0, (math.log10(max(value, 0.1)) + 1 if log else value) * scale)
            color = COLORS[series.index(kind)]
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 3}" rx="2" fill="{color}"/>')
            parts.append(_text(LEFT + length + 6, y + BAR - 6, _figure(value)))
            y += BAR
        y += GAP
    return _page(f"{title}, {unit}{', logarithmic' if log else ''}", series, parts, y)


def stacks(title: str, groups: Mapping[str, Mapping[str, float]], *, unit: str, series: Sequence[str]) -> str:
    """Draw one horizontal bar for each key, made of its parts, with their sum."""
    scale = (WIDTH - LEFT - RIGHT) / max(sum(group.values()) for group in groups.values())
    parts, y = [], 62
    for name, group in groups.items():
        parts.append(_text(LEFT - 10, y + BAR - 6, name, anchor="end"))
        x = float(LEFT)
        for kind in series:
            length = group[kind] * scale
            color = COLORS[series.index(kind)]
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{BAR - 3}" fill="{color}"/>')
            x += length
        parts.append(_text(x + 6, y + BAR - 6, _figure(sum(group.values()))))
        y += BAR + 6
    return _page(f"{title}, {unit}", series, parts, y + GAP)


def lines(title: str, curves: Mapping[str, Sequence[Sequence[float]]], *, unit: str, along: str) -> str:
    """Draw curves of [x, y] points over a common scale."""
    left, top, height = 90, 62, 220
    most_x = max(point[0] for curve in curves.values() for point in curve) or 1
    most_y = max(point[1] for curve in curves.values() for point in curve) or 1
    width = WIDTH - left - 30
    parts = []
    for step in range(5):
        y = top + height - height * step / 4
        parts.append(f'<path d="M{left} {y:.1f}H{left + width}" stroke="#6b7280" stroke-opacity=".25"/>')
        parts.append(_text(left - 8, y + 4, _figure(most_y * step / 4), anchor="end"))
        parts.append(_text(left + width * step / 4, top + height + 18, _figure(most_x * step / 4), anchor="middle"))
    for color, curve in zip(COLORS, curves.values(), strict=False):
        points = " ".join(
            f"{left + width * x / most_x:.1f},{top + height - height * y / most_y:.1f}" for x, y, *_ in curve
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
    return _page(f"{title}, {unit} over {along}", list(curves), parts, top + height + 34)


def _page(title: str, series: Sequence[str], parts: Sequence[str], height: float) -> str:
    legend, x = [], 12.0
    for color, name in zip(COLORS, series, strict=False):
        legend.append(f'<rect x="{x:.0f}" y="36" width="10" height="10" rx="2" fill="{color}"/>')
        legend.append(_text(x + 15, 45, name))
        x += 34 + 6.6 * len(name)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
    label = f'<title>{escape(title)}</title>{_STYLE}<text class="t" x="12" y="22">{escape(title)}</text>'
    return "\n".join([head, label, *legend, *parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _figure(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"
