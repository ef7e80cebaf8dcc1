"""The trend chart as SVG: bars for participation, a line for satisfaction, one axis in percent, values written out."""

from collections.abc import Sequence
from html import escape

from msgspec import Struct

WIDTH, HEIGHT = 640, 230
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 18, 26


class Point(Struct, frozen=True):
    """One day: shares between 0 and 1, or None where nothing was rated or served."""

    label: str
    satisfaction: float | None
    participation: float | None
    rated: int


def trend(points: Sequence[Point], *, title: str, names: tuple[str, str]) -> str:
    """The chart. Each day has a tooltip with its figures; the lowest and the last satisfaction are written beside the line."""
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step = inner_width / max(1, len(points))

    def x(index: int) -> float:
        return LEFT + step * (index + 0.5)

    def y(share: float) -> float:
        return TOP + inner_height * (1 - min(1.0, share))

    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">']
    for grid in (0, 25, 50, 75, 100):
        at = y(grid / 100)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#E0DBD0" stroke-width="1"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{grid}%</text>')
    for index, point in enumerate(points):
        tip = escape(
            f"{point.label} · {names[0]} {_share(point.satisfaction)} · {names[1]} {_share(point.participation)} · n={point.rated}"
        )
        if point.participation:
            top, left = y(point.participation), x(index) - step * 0.3
            size = f'width="{step * 0.6:.1f}" height="{TOP + inner_height - top:.1f}"'
            parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" {size} rx="2" fill="#C9D9EC"><title>{tip}</title></rect>')
        if point.satisfaction is not None:
            middle = f'cx="{x(index):.1f}" cy="{y(point.satisfaction):.1f}"'
            parts.append(f'<circle {middle} r="3" fill="#1F5FA8"><title>{tip}</title></circle>')
    known = [(index, point.satisfaction) for index, point in enumerate(points) if point.satisfaction is not None]
    if known:
        path = " ".join(f"{x(index):.1f},{y(share):.1f}" for index, share in known)
        parts.append(f'<polyline points="{path}" fill="none" stroke="#1F5FA8" stroke-width="2"/>')
        marked = {min(known, key=lambda each: each[1]), known[-1]}
        for index, share in marked:
            anchor = "end" if index > len(points) * 0.8 else "start" if index < len(points) * 0.2 else "middle"
            where = f'x="{x(index):.1f}" y="{y(share) + 17:.1f}" text-anchor="{anchor}"'
            parts.append(f'<text class="v" {where}>{_share(share)}</text>')
    for index in sorted({0, len(points) // 2, len(points) - 1} if points else set()):
        anchor = "start" if index == 0 else "end" if index == len(points) - 1 else "middle"
        parts.append(f'<text x="{x(index):.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{escape(points[index].label)}</text>')
    return "".join([*parts, "</svg>"])


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value * 100:.1f}%"
