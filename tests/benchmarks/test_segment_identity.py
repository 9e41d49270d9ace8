from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.segments.shoppers import LAYOUT, customers

from clientela.features.segment_columns import ClusteringParams


def test_of_those_in_both_the_same_number_counts_as_kept() -> None:
    from segment_identity import kept_share

    before = pd.Series([0, 1, 2, 0], index=["a", "b", "c", "gone"])
    after = pd.Series([1, 1, 2, 0], index=["a", "b", "c", "new"])

    assert kept_share(before, after) == pytest.approx(2 / 3)


def test_a_draw_holds_95_percent_in_order_and_is_repeatable() -> None:
    from segment_identity import drawn

    features = pd.DataFrame({"id_cliente": [f"{place:03d}" for place in range(200)]})

    first = drawn(features, 3)

    assert len(first) == 190
    assert first["id_cliente"].is_monotonic_increasing
    assert first["id_cliente"].is_unique
    assert first.equals(drawn(features, 3))
    assert not first.equals(drawn(features, 4))


@pytest.mark.parametrize(("margin", "followed"), [(0.05, 1.0), (0.999, 0.0)])
def test_distinct_segments_keep_their_ids_and_who_buys_elsewhere_follows_within_the_margin(
    margin: float, followed: float
) -> None:
    from segment_identity import (
        CONFIGURED,
        MATCHED,
        NEAREST,
        drawn,
        followed_share,
        kept_shares,
        trained,
    )

    features = customers()
    params = ClusteringParams(n_init=2, switch_margin=margin)
    base = trained(features, LAYOUT, 3, None, params)

    shares = kept_shares(drawn(features, 0), LAYOUT, base, params)

    assert shares[CONFIGURED] == shares[NEAREST] == shares[MATCHED] == 1.0
    assert followed_share(drawn(features, 0), 0, LAYOUT, base, params) == followed


def test_numbers_as_they_come_are_those_of_scikit_learn() -> None:
    from clientela.features.segment_columns import build_matrix
    from segment_identity import positions, trained

    features = customers()
    made = trained(features, LAYOUT, 3, None, ClusteringParams(n_init=1))

    expected = made.model.predict(build_matrix(features, made.identity.columns, transformed=True))
    assert np.array_equal(positions(made).to_numpy(), expected)


def test_command_reads_what_the_catalog_holds(
    project_root: Path,
    data_root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from segment_identity import main

    monkeypatch.chdir(project_root)
    place = data_root / "04_feature" / "customer_segments"
    place.mkdir(parents=True)
    rows = data_root / "05_model_input" / "customer_segments"
    rows.mkdir(parents=True)
    customers().to_parquet(rows / "clustering_input.parquet")
    (place / "layout.json").write_text(LAYOUT.model_dump_json(), encoding="utf-8")

    main(["--env", "test", "--k", "3", "--draws", "2"])

    printed = capsys.readouterr().out
    assert "k = 3, 360 customers, 2 draws" in printed
    assert "same id, as configured: warm start, margin │ 100.00% │ 100.00% │" in printed
