from clientela.pipelines.data_generation.churn import ChurnSimulation, simulate_wifi
from clientela.pipelines.data_generation.credit import CreditSimulation, simulate_lender
from clientela.pipelines.data_generation.retail import TransactionSimulation
from clientela.pipelines.data_generation.transactions import simulate_retailer


def test_both_tables_and_their_report_come_from_one_simulation():
    simulation = TransactionSimulation(customers=20, transactions=400, dirt=None)
    transactions, customers, report = simulate_retailer(simulation)
    assert transactions.simulation == customers.simulation == simulation
    assert report == {"customers": 20, "transactions": 400, "refunds": 6, "dirt": {}}


def test_loans_and_their_report_come_from_one_simulation():
    simulation = CreditSimulation(rows=200)
    loans, report = simulate_lender(simulation)
    assert loans.simulation == simulation
    assert report["lines"] == 200


def test_the_truth_of_visitors_stands_apart_from_what_a_model_may_see():
    simulation = ChurnSimulation(rows=200)
    visitors, truth, report = simulate_wifi(simulation)
    assert visitors.simulation == truth.simulation == simulation
    assert "churn_probability" in truth.columns
    assert "churn_probability" not in visitors.columns
    assert report["users"] == 200
