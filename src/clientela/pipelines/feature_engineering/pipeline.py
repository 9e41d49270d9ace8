from kedro.pipeline import Pipeline
def create_pipeline(use_case): return Pipeline([])
