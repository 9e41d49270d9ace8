"""What an exploration looks at, as typed configuration."""

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from clientela.reports.numbers import NumberFormat


class EdaParameters(BaseModel):
    """What the exploration of one entry looks at, and when it says something.

    Attributes:
        keys: Columns that identify rows or people; they are counted and never shown. The first one
            that a table has is its own key.
        leave_out: Columns that are not explored, as patterns such as `recencia_*`: a wide table
            says the same thing many times.
        codes: Columns of numbers that name something, and are explored as categories.
        top_categories: Categories shown by name; the rest is summed up.
        max_categories: Text with more distinct values than this is no category and is not listed.
        min_rows: Values with fewer rows are never shown by name.
        skewed_above: Absolute skewness from which a logarithm is recommended.
        heavy_tailed_above: Excess kurtosis from which robust scaling and checks of ranges are
            recommended.
        constant_above: Share of the commonest value from which a column is near-constant.
        correlated_above: Absolute correlation from which two columns say the same.
        missing_above: Share of missing values worth a warning.
        suspicious_auc: AUC of one column alone from which it may know the target.
        numbers: How numbers are written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    top_categories: PositiveInt = 12
    max_categories: PositiveInt = 200
    min_rows: PositiveInt = 5
    skewed_above: float = Field(default=2.0, gt=0)
    heavy_tailed_above: float = Field(default=30.0, gt=0)
    constant_above: float = Field(default=0.99, gt=0, le=1)
    correlated_above: float = Field(default=0.95, gt=0, le=1)
    missing_above: float = Field(default=0.2, ge=0, le=1)
    suspicious_auc: float = Field(default=0.95, gt=0.5, le=1)
    numbers: NumberFormat = NumberFormat()
