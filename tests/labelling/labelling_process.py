"""Labels applicants in a process that a test may kill: `… <server> <folder> <rows>`."""

import sys
from pathlib import Path

from tests.labelling.conftest import FEATURES, applicants, settings_of, shipped_prompts

from clientela.aws_settings import AwsSettings
from clientela.pipelines.labelling import nodes
from clientela.pipelines.labelling.response_cache import FileAnswerStore, LanguageModels

if __name__ == "__main__":
    url, folder, rows = sys.argv[1:]
    prompts = shipped_prompts(Path(__file__).parents[2])
    settings = settings_of("openai", url, {"patience": {"read_seconds": 600}}, workers=16)
    store = FileAnswerStore(folder)
    nodes.label_cases(
        applicants(int(rows)), LanguageModels(AwsSettings()), store, *prompts, FEATURES, settings
    )
