"""One look for every figure of the project; nothing here touches matplotlib's global state."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from clientela.text import NumberFormat

INK, MUTED, GRID = "#22313a", "#6b7a83", "#e3e8ea"
MAIN, ACCENT, SOFT = "#1f6f78", "#d9792b", "#a9cdd0"
SEQUENTIAL = LinearSegmentedColormap.from_list("clientela", ["#f4f8f8", "#8fc1c4", MAIN, "#0f3b44"])
DIVERGING = LinearSegmentedColormap.from_list("clientela2", [ACCENT, "#f7f7f5", MAIN])
DPI = 110
WIDTH = 9.0
WITHOUT_VERSION: dict[str, Any] = {"Software": None}
# How every figure is written, into pages as into files (conf/base/catalog).
AS_REPORTS_DO: dict[str, Any] = {"format": "png", "dpi": DPI, "metadata": WITHOUT_VERSION}
# Luminance of a cell from which dark text on it is readable.
READABLE_ABOVE = 0.55
WEEKDAYS = ("lun", "mar", "mié", "jue", "vie", "sáb", "dom")

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib, so figures are the same everywhere
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
}


class CachedFigure(Figure):
    """A figure that nobody changes once it is written.

    Its page and its file are drawn once: to draw takes longer than most of what is shown took to
    compute.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._drawn: dict[str, bytes] = {}

    def savefig(self, fname: Any, **kwargs: Any) -> None:
        """Write the figure."""
        if not isinstance(fname, io.BytesIO):
            super().savefig(fname, **kwargs)
            return
        options = {"format": "png"} | kwargs
        key = repr(sorted(options.items()))
        if key not in self._drawn:
            drawn = io.BytesIO()
            if options == AS_REPORTS_DO:
                # matplotlib's own way draws twice, the first time for the layout alone
                canvas = FigureCanvasAgg(self)
                canvas.print_png(drawn, metadata=WITHOUT_VERSION)  # type: ignore[no-untyped-call]
            else:
                super().savefig(drawn, **kwargs)
            self._drawn[key] = drawn.getvalue()
        fname.write(self._drawn[key])


def make_panels(rows: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """An empty figure of the report's width, and its panels row by row."""
    with mpl.rc_context(STYLE):
        figure = CachedFigure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
        axes = np.asarray(figure.subplots(rows, columns, squeeze=False)).ravel()
    return figure, list(axes)


def make_empty_figure(message: str) -> Figure:
    """A figure that says why there is nothing to show."""
    figure, (panel,) = make_panels(1, 1, 1.2)
    panel.axis("off")
    panel.text(0.5, 0.5, message, ha="center", va="center", color=MUTED, fontsize=11)
    return figure


def write_title(panel: Axes, title: str, size: float = 10.5) -> None:
    """Writes a panel's title the way all figures do."""
    panel.set_title(title, loc="left", fontsize=size, fontweight="bold", color=INK)


def draw_bars(
    panel: Axes, labels: Sequence[str], values: Sequence[float], color: str = MAIN
) -> None:
    """Upright bars with their names below."""
    panel.bar(range(len(values)), values, color=color, width=0.78)
    panel.set_xticks(range(len(labels)), labels)
    panel.grid(axis="y")
    panel.tick_params(length=0)


def draw_ranked_bars(
    panel: Axes, labels: Sequence[str], values: Sequence[float], texts: Sequence[str]
) -> None:
    """Lying bars with their names beside and their values written at the end."""
    panel.barh(range(len(values)), values, color=MAIN, height=0.72)
    panel.set_yticks(range(len(labels)), [shorten_label(label) for label in labels])
    panel.invert_yaxis()
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)
    panel.tick_params(length=0)
    panel.set_xlim(0, 1.18 * max([value for value in values if value > 0], default=1.0))
    for place, (value, text) in enumerate(zip(values, texts, strict=True)):
        if not np.isfinite(value):
            continue
        panel.text(value, place, f" {text}", va="center", fontsize=8, color=MUTED)


def draw_heatmap(
    panel: Axes,
    values: np.ndarray,
    texts: Sequence[Sequence[str]] | None = None,
    colors: Colormap = SEQUENTIAL,
    limits: tuple[float, float] | None = None,
) -> None:
    """A table of colours, its values written in the cells where given.

    Args:
        limits: Values of the lowest and highest colour; None: those of the data.
    """
    low, high = limits or (float(np.nanmin(values)), float(np.nanmax(values)))
    image = panel.imshow(values, cmap=colors, vmin=low, vmax=high, aspect="auto")
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0)
    for (row, column), value in np.ndenumerate(values) if texts is not None else ():
        red, green, blue, _ = image.cmap(image.norm(value))
        dark = 0.3 * red + 0.59 * green + 0.11 * blue < READABLE_ABOVE
        text = texts[row][column] if texts is not None else ""
        color = "white" if dark else INK
        panel.text(column, row, text, ha="center", va="center", fontsize=8.5, color=color)


def format_axis_numbers(
    panel: Axes, axis: str, numbers: NumberFormat, ticks: int = 5, *, whole: bool = False
) -> None:
    """Writes an axis as the readers write numbers; `whole` where only whole numbers make sense."""
    which = panel.xaxis if axis == "x" else panel.yaxis
    which.set_major_locator(MaxNLocator(ticks, integer=whole))
    which.set_major_formatter(FuncFormatter(lambda value, _: numbers.short(float(value))))


def shorten_label(text: str, length: int = 24) -> str:
    """A name that fits beside a bar, its end replaced by an ellipsis where too long."""
    return text if len(text) <= length else text[: length - 1] + "…"


def render_png(figure: Figure) -> bytes:
    """A figure as PNG without version or date: the same bytes for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, **AS_REPORTS_DO)
    return buffer.getvalue()


TICK_LETTERS = 22
# Most names that fit side by side without leaning.
UPRIGHT = 4


def label_heatmap_axes(panel: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Names beside the rows and below the columns of a heat map."""
    panel.set_yticks(range(len(rows)), [format_axis_label(name) for name in rows])
    panel.set_xticks(range(len(columns)), [format_axis_label(name) for name in columns])
    if len(columns) > UPRIGHT:
        for tick in panel.get_xticklabels():
            tick.set(rotation=38, ha="right", rotation_mode="anchor")


def format_axis_label(name: str, letters: int = TICK_LETTERS) -> str:
    """A name that fits and is written as it is: matplotlib reads `$...$` as a formula."""
    return shorten_label(name, letters).replace("$", r"\$")
