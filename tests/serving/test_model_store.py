import logging
from dataclasses import dataclass, field

import pytest
from tests.serving.models import packaged, publish, publish_bytes

from clientela.exceptions import ModelFileError, NoApprovedModelError
from clientela.registry.package import PublishedModelStore
from clientela.serving.auth import ApiError
from clientela.serving.case_reader import RequestLimits
from clientela.serving.model_store import ModelReloader, ModelStore, load_unpacked_model

LIMITS = RequestLimits(batch=10, word=20, problems=5)


@dataclass
class Watched:
    """A folder, its watcher, and a clock that a test moves."""

    folder: object
    store: object = None
    clock: float = 0.0
    failed: list = field(default_factory=list)

    def __post_init__(self):
        self.models = ModelStore()
        self.store = self.store or PublishedModelStore(str(self.folder))
        self.watcher = ModelReloader(
            self.store,
            self.models,
            LIMITS,
            seconds=5.0,
            failed=self.failed.append,
            now=lambda: self.clock,
        )

    def reload_models(self):
        self.watcher.reload_models()
        return {name: model.manifest.version for name, model in self.models.by_use_case.items()}


@pytest.fixture
def watched(tmp_path):
    return Watched(tmp_path)


def test_what_is_approved_is_served_at_the_next_look(watched, tmp_path):
    assert watched.reload_models() == {}
    first = publish(tmp_path)
    assert watched.reload_models() == {"credit_payment": first.version}
    second = publish(tmp_path, number=2, shift=1.0)
    publish(tmp_path, "customer_segments")
    assert set(watched.reload_models()) == {"credit_payment", "customer_segments"}
    assert watched.models.get_model("credit_payment").manifest.version == second.version
    assert watched.models.get_model("credit_payment").number == 2


def test_a_model_that_is_served_is_not_loaded_again(watched, tmp_path):
    publish(tmp_path)
    watched.reload_models()
    before = watched.models.get_model("credit_payment")
    watched.reload_models()
    assert watched.models.get_model("credit_payment") is before


def test_what_is_withdrawn_is_no_longer_served(watched, tmp_path):
    publish(tmp_path)
    publish(tmp_path, "customer_segments")
    watched.reload_models()
    PublishedModelStore(str(tmp_path)).stop_serving("credit_payment")
    assert set(watched.reload_models()) == {"customer_segments"}
    with pytest.raises(ApiError, match=r"No approved model is served .* Known: customer_segments"):
        watched.models.get_model("nothing_like_it")


def damage(folder, number=2):
    """A second package, whose file is changed after it was published."""
    manifest = publish(folder, number=number, shift=1.0)
    (path,) = folder.glob(f"*{manifest.version}.tar.gz")
    path.write_bytes(path.read_bytes()[:-20])
    return path


def test_a_damaged_package_leaves_the_last_good_model(watched, tmp_path, caplog):
    first = publish(tmp_path)
    watched.reload_models()
    damage(tmp_path)
    with caplog.at_level(logging.ERROR):
        assert watched.reload_models() == {"credit_payment": first.version}
    assert watched.failed == ["credit_payment"]
    assert "the last good model stays" in caplog.text


def test_a_damaged_package_is_told_once_and_tried_less_and_less(watched, tmp_path, caplog):
    publish(tmp_path)
    watched.reload_models()
    damage(tmp_path)
    for second in range(0, 600, 5):
        watched.clock = float(second)
        watched.reload_models()
    assert len(watched.failed) == len([0, 5, 15, 35, 75, 155, 315])
    assert caplog.text.count("can't be served") == 1


def test_a_damaged_package_that_is_mended_is_served(watched, tmp_path):
    publish(tmp_path)
    watched.reload_models()
    path = damage(tmp_path)
    watched.reload_models()
    content, manifest = packaged(shift=1.0)
    path.write_bytes(content)
    watched.clock = 6.0
    assert watched.reload_models() == {"credit_payment": manifest.version}


def test_a_model_that_does_not_answer_its_example_is_not_served(watched, tmp_path, caplog):
    first = publish(tmp_path)
    watched.reload_models()
    publish_bytes(tmp_path, *packaged(shift=1.0, expected=0.123), number=2)
    assert watched.reload_models() == {"credit_payment": first.version}
    assert "should answer its own example with" in caplog.text


def test_a_package_of_another_use_case_is_not_served(watched, tmp_path, caplog):
    content, manifest = packaged("customer_segments")
    wrong = manifest.model_copy(update={"use_case": "credit_payment"})
    publish_bytes(tmp_path, content, wrong)
    assert watched.reload_models() == {}
    assert f"is of customer_segments {manifest.version}" in caplog.text


def test_where_the_store_cant_be_read_everything_stays(tmp_path, caplog):
    publish(tmp_path)

    class Shaky(PublishedModelStore):
        down = False

        def served(self):
            if self.down:
                raise OSError("503 SlowDown")
            return super().served()

    watched = Watched(tmp_path, Shaky(str(tmp_path)))
    before = watched.reload_models()
    watched.store.down, watched.clock = True, 60.0
    assert watched.reload_models() == watched.reload_models() == before
    assert watched.failed == ["", ""]
    assert caplog.text.count("can't be read; they stay") == 1
    assert watched.watcher.age() == 60.0
    watched.store.down = False
    watched.reload_models()
    assert watched.watcher.age() == 0.0


def unpack(folder, **how):
    from clientela.registry.package import extract_archive

    for name, content in extract_archive(packaged(**how)[0], 10**8).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_an_unpacked_package_is_served(tmp_path):
    unpack(tmp_path)
    model = load_unpacked_model(tmp_path, LIMITS)
    assert model.manifest.use_case == "credit_payment"
    assert model.number is None


def test_an_empty_folder_has_no_model(tmp_path):
    with pytest.raises(NoApprovedModelError, match="there are no files"):
        load_unpacked_model(tmp_path, LIMITS)


def test_a_folder_with_a_foreign_file_is_refused(tmp_path):
    unpack(tmp_path)
    (tmp_path / "code.py").write_text("print('x')")
    with pytest.raises(ModelFileError, match=r"it\s+holds code.py"):
        load_unpacked_model(tmp_path, LIMITS)
