"""Pictures as PNG and SVG: time against size for each workload of three sizes or more; where the compiled tape pays."""

from pathlib import Path
from typing import Any

from benchmarks.peers import catalogue, crossing
from benchmarks.peers.figures import OURS, Table, tables
from benchmarks.peers.page import has_picture
from benchmarks.peers.workload import Workload

COLOURS = {
    "tapediff": "#c1121f",
    "torch": "#ee8434",
    "jax": "#3a5ba0",
    "autograd": "#7b9acc",
    "mygrad": "#9c89b8",
    "casadi": "#2d936c",
    "ddx": "#7a4b9a",
    "xad": "#8d6e63",
    "numba": "#555555",
    "numpy": "#555555",
    "micrograd": "#b0a030",
}
DASHES = ("-", "--", ":", "-.")


def draw_all(document: dict[str, Any], folder: Path) -> int:
    """Draw what the document holds, on the fewest threads; the number of files written."""
    fewest = min(run["threads"] for run in document["runs"])
    runs = {run["workload"]: run for run in document["runs"] if run["threads"] == fewest}
    drawn = 0
    for workload in catalogue.all_workloads():
        if workload.name in runs and has_picture(workload, found := list(tables([runs[workload.name]]))):
            drawn += draw(workload, found, folder)
    return drawn + sum(draw_crossing(curves, folder) for curves in document.get("crossings", []))


def draw(workload: Workload, found: list[Table], folder: Path) -> int:
    """Both axes logarithmic; a library has a colour, its ways have dashes. 0 without matplotlib or curves."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        return 0
    matplotlib.use("Agg")
    curves = {peer.name: points_of(found, peer.name) for peer in workload.peers}
    if not any(curves.values()):
        return 0
    labels = {"xlabel": workload.size_name, "ylabel": "seconds a call, best", "title": workload.title}
    return picture(curves, labels, folder / f"peers-{workload.name}")


def draw_crossing(curves: dict[str, Any], folder: Path) -> int:
    """Seconds from nothing against the rows or calls that are done then, by executor."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        return 0
    matplotlib.use("Agg")
    workload = catalogue.workload_named(curves["workload"])
    named = {peer: [(point[0], point[1]) for point in points] for peer, points in crossing.in_units(curves).items()}
    ylabel = "seconds from nothing"
    labels = {"xlabel": crossing.unit(curves, workload.size_name), "ylabel": ylabel, "title": workload.title}
    return picture(named, labels, folder / f"crossing-{workload.name}")


def picture(curves: dict[str, list[tuple[int, float]]], labels: dict[str, str], path: Path) -> int:
    """Write curves as PNG and as SVG; 2, the number of files."""
    from matplotlib import pyplot

    with pyplot.rc_context({"svg.hashsalt": "peers", "svg.fonttype": "none", "font.size": 9}):
        figure, axes = pyplot.subplots(figsize=(8.5, 4.6), layout="constrained")
        used: dict[str, int] = {}
        for name, points in curves.items():
            if not points:
                continue
            library = name.split(",")[0]
            way = used[library] = used.get(library, -1) + 1
            width = 2.6 if name == OURS else 1.4
            style = {"color": COLOURS.get(library, "black"), "linewidth": width, "marker": "o", "markersize": 3.5}
            axes.plot(*zip(*points), DASHES[way % 4], label=name, **style)
        axes.set(xscale="log", yscale="log", **labels)
        axes.grid(which="major", alpha=0.3)
        figure.legend(loc="outside right center", frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
        figure.savefig(path.with_suffix(".png"), dpi=110, metadata={"Software": None})
        pyplot.close(figure)
    return 2


def points_of(found: list[Table], peer: str) -> list[tuple[int, float]]:
    seconds = [(table.size, table.seconds(peer)) for table in found]
    return [(size, taken) for size, taken in seconds if taken is not None]
