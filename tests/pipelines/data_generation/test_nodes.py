from clientela.pipelines.data_generation.churn import ChurnSimulation, simulate_wifi


def test_the_truth_of_visitors_stands_apart_from_what_a_model_may_see():
    simulation = ChurnSimulation(rows=200)
    visitors, truth, report = simulate_wifi(simulation)
    assert visitors.simulation == truth.simulation == simulation
    assert "churn_probability" in truth.columns
    assert "churn_probability" not in visitors.columns
    assert report["users"] == 200
