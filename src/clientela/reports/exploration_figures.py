"""Every figure of an exploration, by name."""

from matplotlib.figure import Figure

from clientela.reports.activity_charts import (
    category_shares_figure,
    customers_figure,
    hours_figure,
    months_figure,
)
from clientela.reports.activity_sections import category_shares
from clientela.reports.association import quintile_edges
from clientela.reports.distribution_charts import categories_figure, numbers_figure
from clientela.reports.exploration import TARGET_TABLE, Exploration, Frames, Target
from clientela.reports.parameters import EdaParameters
from clientela.reports.profile import Profile
from clientela.reports.target_charts import (
    class_mix_figure,
    classes_figure,
    correlations_figure,
    persistence_figure,
)


def figures(exploration: Exploration, parameters: EdaParameters) -> dict[str, Figure]:
    """Every figure of an exploration.

    Args:
        exploration: The frames.
        parameters: Number format and thresholds.

    Returns:
        Name to figure: `<table>_numbers`, `<table>_categories`, and what applies of `months`,
        `hours`, `categories`, `customers`, `classes`, `class_mix`, `correlations`, `persistence`.
    """
    numbers = parameters.numbers
    drawn: dict[str, Figure] = {}
    if exploration.activity is not None:
        drawn |= _of_activity(exploration.activity, parameters)
    if exploration.persistence is not None:
        moved = exploration.persistence
        drawn["persistence"] = persistence_figure(moved.counts, moved.classes, numbers)
    if exploration.target is not None:
        (profile,) = (each for each in exploration.profiles if each.name == TARGET_TABLE)
        drawn |= _of_target(exploration.target, profile, parameters)
    for profile in exploration.profiles:
        drawn[f"{profile.name}_numbers"] = numbers_figure(profile, numbers)
        drawn[f"{profile.name}_categories"] = categories_figure(profile, numbers)
    return drawn


def _of_activity(activity: Frames, parameters: EdaParameters) -> dict[str, Figure]:
    numbers = parameters.numbers
    return {
        "months": months_figure(activity["months"], numbers),
        "hours": hours_figure(activity["hours"], numbers),
        "categories": category_shares_figure(
            category_shares(activity, parameters.top_categories, parameters.min_rows), numbers
        ),
        "customers": customers_figure(activity["frequencies"], activity["concentration"], numbers),
    }


def _of_target(target: Target, profile: Profile, parameters: EdaParameters) -> dict[str, Figure]:
    numbers = parameters.numbers
    edges = quintile_edges(profile.numbers)
    order = [str(column) for column in target.associations["column"]]
    return {
        "classes": classes_figure(target.counts, target.classes, numbers),
        "class_mix": class_mix_figure(target.bins, order, edges, target.classes, numbers),
        "correlations": correlations_figure(target.correlations, numbers),
    }
