"""Every way to place customers in segments that is compared, in pairs: bare, and ours.

A pair begins alike (random starts, seed, centres), so both must place everybody alike.
"""

from functools import partial

from sample import Sample
from variant import Benchmark, Promise, Variant

BARE, COLD = "bare_kmeans", "clientela_segments"
BARE_ONCE, COLD_ONCE = "bare_kmeans_one_start", "clientela_segments_one_start"
BARE_WARM, WARM = "bare_kmeans_warm", "clientela_segments_warm"

segments_sample = partial(
    Sample,
    script="draw_segments_sample.py",
    files=(
        "customer-features-{rows}.parquet",
        "last-week-{rows}.parquet",
        "last-week-{rows}.json",
    ),
)

SEGMENTS = Benchmark(
    description="Compares fitting and assigning segments with bare scikit-learn.",
    unit="customers",
    base="bare",
    sizes=(1_000_000,),
    sample=segments_sample,
    variants=(
        Variant(BARE, "bare, 10 starts", answer="10 starts", against=BARE),
        Variant(COLD, "Clientela, 10 starts", answer="10 starts", against=BARE),
        Variant(BARE_ONCE, "bare, 1 start", answer="1 start", against=BARE_ONCE),
        Variant(COLD_ONCE, "Clientela, 1 start", answer="1 start", against=BARE_ONCE),
        Variant(BARE_WARM, "bare, last week's centres", answer="warm", against=BARE_WARM),
        Variant(WARM, "Clientela, weekly retrain", answer="warm", against=BARE_WARM),
        Variant(
            "clientela_segments_whole_table",
            "Clientela, table loaded whole",
            answer="10 starts",
            against=BARE,
        ),
        Variant("clientela_k_choice", "choosing k, on a sample", answer="k", once=True),
    ),
    promises=(
        Promise(COLD, BARE, "fit and assign over bare: {} (at most 1.5)"),
        Promise(COLD_ONCE, BARE_ONCE, "the same with one start: {}"),
        Promise(WARM, BARE_WARM, "weekly retrain over bare from the same centres: {}"),
        Promise(WARM, BARE, "weekly retrain over bare, 10 starts: {}"),
    ),
)
