"""What one run of segmentation hands to its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from clientela.segments.identity import SIN_ACTIVIDAD, SIN_ACTIVIDAD_NAME, Identity
from clientela.segments.params import ClusteringParams, SegmentFeatureParams, SegmentReportParams
from clientela.segments.profile import inactive_last


@dataclass(frozen=True)
class SegmentsReport:
    """The artefacts of one run that its report tells.

    Attributes:
        identity: Segments, their names and why, rubros, columns.
        choice: How the number of segments was chosen; its `sentences` open the report.
        evaluation: One row per number of segments compared.
        profile: `segments`, `rubros`, `demographics`.
        migration: Where customers moved since the previous model, in figures.
        migration_matrix: One row per previous and current segment.
        membership: How clear-cut the segments are; None, or of mode `none`, where not
            asked for.
        projection: `points`, `axes`; see `clientela.segments.report.projection`.
        features: What features saw.
        clustering: How clusters were made.
        settings: How the report is written.
    """

    identity: Identity
    choice: Mapping[str, Any]
    evaluation: pd.DataFrame
    profile: Mapping[str, pd.DataFrame]
    migration: Mapping[str, Any]
    migration_matrix: pd.DataFrame
    membership: Mapping[str, Any] | None
    projection: Mapping[str, pd.DataFrame]
    features: SegmentFeatureParams
    clustering: ClusteringParams
    settings: SegmentReportParams

    @property
    def segments(self) -> pd.DataFrame:
        """One row per segment, by id, customers without activity last."""
        return self.profile["segments"].sort_values(
            "cluster_id", key=inactive_last, ignore_index=True
        )

    @property
    def names(self) -> dict[int, str]:
        """Id to name, customers without activity included."""
        return {**self.identity.names, SIN_ACTIVIDAD: SIN_ACTIVIDAD_NAME}

    @property
    def day(self) -> date:
        """The date of the model."""
        return self.identity.fecha_modelo
