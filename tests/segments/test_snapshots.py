from datetime import date

import pandas as pd

from clientela.models.segment_model import find_latest_before, load_members


def never():
    raise AssertionError("a snapshot was read that was not needed")


def test_the_previous_run_is_the_latest_one_of_an_earlier_date():
    snapshots = dict.fromkeys(["2024-06-16", "2024-06-23", "2024-06-30", "2024-07-07"], never)

    assert find_latest_before(snapshots, date(2024, 6, 30)) == "2024-06-23"


def test_a_rerun_of_the_first_date_has_no_previous_run():
    assert find_latest_before({"2024-06-30": never}, date(2024, 6, 30)) is None


def test_exports_are_found_by_the_date_their_partition_ends_in():
    exported = pd.DataFrame({"dni": ["007"], "cluster_id": [1], "rubro_top": ["Farmacia"]})
    snapshots = {"fecha_modelo=2024-06-23": lambda: exported, "fecha_modelo=2024-06-30": never}

    found = load_members(snapshots, date(2024, 6, 23))

    pd.testing.assert_frame_equal(found, pd.DataFrame({"id_cliente": ["007"], "cluster_id": [1]}))


def test_a_model_that_was_never_exported_has_no_members():
    assert load_members({"fecha_modelo=2024-06-23": never}, date(2024, 6, 16)) is None
    assert load_members({"fecha_modelo=2024-06-23": never}, None) is None
