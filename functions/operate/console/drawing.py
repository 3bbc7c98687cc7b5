"""The lag over time as an SVG, whose colours are those of the page."""

from collections.abc import Sequence
from typing import Final

from functions.operate.console.watching import LagSample

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 140, 56, 20
MIN_SAMPLES: Final = 2


def lag_chart(samples: Sequence[LagSample]) -> str | None:
    """Return the drawing; None while there is less than a line."""
    if len(samples) < MIN_SAMPLES:
        return None
    begin, end = samples[0].time, samples[-1].time
    most = max(1, *(sample.lag for sample in samples))

    def place(sample: LagSample) -> str:
        x = LEFT + (WIDTH - LEFT) * (sample.time - begin) / max(end - begin, 0.001)
        return f"{x:.1f},{8 + (HEIGHT - BOTTOM - 8) * (1 - sample.lag / most):.1f}"

    points = " ".join(map(place, samples))
    floor = HEIGHT - BOTTOM
    minutes = (end - begin) / 60
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Lag over the last {minutes:.0f} minutes, '
        f'at most {most:,} records">'
        f'<line class="axis" x1="{LEFT}" y1="{floor}" x2="{WIDTH}" y2="{floor}"/>'
        f'<text x="{LEFT - 6}" y="14" text-anchor="end">{most:,}</text>'
        f'<text x="{LEFT - 6}" y="{floor}" text-anchor="end">0</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 4}">{minutes:.0f} min ago</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 4}" text-anchor="end">now</text>'
        f'<polyline class="lag" points="{points}"/></svg>'
    )
