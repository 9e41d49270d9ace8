"""Calibration, lift and gain as small tables, to read and to draw."""

import numpy as np
import pandas as pd

from clientela.binary.grading import sampled_counts, sampled_rows
from clientela.binary.intervals import share_intervals
from clientela.binary.tallies import Tallies, ratio, tallies, tally_cells
from clientela.classification.codes import Codes, Floats
from clientela.classification.spread import INTERVAL


def calibration_table(y_true: Codes, probability: Floats, *, bins: int = 10) -> pd.DataFrame:
    """One row per bin of about equally many rows: promised against observed share of class 1.

    Rows with the same probability stay in one bin, so that the order of rows plays no part; where
    many share one, there are fewer bins.

    Args:
        y_true: True codes, 0 or 1.
        probability: Predicted probability of code 1.
        bins: Largest number of bins.

    Returns:
        `rows`, `promised` (mean probability), `observed` (share of class 1) with its 95 % interval
        `lower`, `upper`; in order of the probability.
    """
    counted = tallies(y_true, probability)
    rows = counted.rows.sum(axis=1)
    middle = rows.cumsum() - rows / 2
    starts = np.flatnonzero(np.diff((bins * middle / rows.sum()).astype(np.int64), prepend=-1))
    in_bin = np.add.reduceat(rows, starts)
    ones = np.add.reduceat(counted.rows[:, 1], starts)
    lower, upper = share_intervals(ones, in_bin)
    return pd.DataFrame(
        {
            "rows": in_bin.astype(np.int64),
            "promised": np.add.reduceat(rows * counted.levels, starts) / in_bin,
            "observed": ones / in_bin,
            "lower": lower,
            "upper": upper,
        }
    )


def gain_table(  # noqa: PLR0913 - two say what was predicted, four how to look at it
    y_true: Codes,
    probability: Floats,
    *,
    code: int,
    replicates: int,
    seed: int,
    parts: int = 10,
) -> pd.DataFrame:
    """One row per tenth of the rows, those surest of the class first: what looking there finds.

    Rows that share a probability are spread evenly, as if their order were drawn at random.

    Args:
        y_true: True codes, 0 or 1.
        probability: Predicted probability of code 1.
        code: The class that is looked for: 1, or 0 where that is the rare one.
        replicates: Bootstrap samples behind the intervals.
        seed: Seed of the resampling.
        parts: Number of parts.

    Returns:
        `part` (from 1), `rows`, `share` of the class in the part, `lift` (share over overall
        share), `gain` (part of the class found so far), and `lift_lower`, `lift_upper`,
        `gain_lower`, `gain_upper` (95 %).
    """
    gain = gains(tallies(y_true, probability), code, parts)
    sampled = _sampled_gains(y_true, probability, code, parts, replicates, seed)
    lift = _lift(gain)
    (lift_lower, lift_upper), (gain_lower, gain_upper) = (
        np.nanquantile(values, INTERVAL, axis=0) for values in (_lift(sampled), sampled)
    )
    return pd.DataFrame(
        {
            "part": np.arange(1, parts + 1),
            "rows": len(y_true) / parts,
            "share": lift * np.mean(np.asarray(y_true) == code),
            "lift": lift,
            "lift_lower": lift_lower,
            "lift_upper": lift_upper,
            "gain": gain,
            "gain_lower": gain_lower,
            "gain_upper": gain_upper,
        }
    )


def gains(counted: Tallies, code: int, parts: int) -> Floats:
    """Share of a class that the surest 1/parts, 2/parts, ... of the rows hold.

    Args:
        counted: Tables of counts over the same levels.
        code: The class that is looked for.
        parts: Number of parts.

    Returns:
        Shape (..., parts), rising to 1; missing where a table lacks the class.
    """
    surest_first = counted.rows if code == 0 else counted.rows[..., ::-1, :]
    passed = surest_first.sum(axis=-1).cumsum(axis=-1)
    found = surest_first[..., code].cumsum(axis=-1)
    levels = passed.shape[-1]
    stops = np.arange(1, parts + 1) / parts
    reached = [
        np.interp(stops * seen[-1], np.append(0.0, seen), np.append(0.0, hits))
        for seen, hits in zip(passed.reshape(-1, levels), found.reshape(-1, levels), strict=True)
    ]
    total = found[..., -1:]
    return ratio(np.reshape(reached, (*total.shape[:-1], parts)), total, empty=np.nan)


def _lift(gain: Floats) -> Floats:
    lift: Floats = np.diff(gain, prepend=0.0, axis=-1) * gain.shape[-1]
    return lift


def _sampled_gains(  # noqa: PLR0913, PLR0917 - what the public function was given
    y_true: Codes, probability: Floats, code: int, parts: int, replicates: int, seed: int
) -> Floats:
    levels, cells = tally_cells(y_true, probability)
    portions = (
        sampled_counts(cells, 2 * len(levels), rows).reshape(len(rows), -1, 2)
        for rows in sampled_rows(len(cells), replicates=replicates, seed=seed)
    )
    return np.concatenate([gains(Tallies(levels, portion), code, parts) for portion in portions])
