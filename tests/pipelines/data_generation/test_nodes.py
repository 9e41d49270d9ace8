from clientela.pipelines.data_generation.nodes import simulated_retailer
from clientela.simulation.parameters import TransactionSimulation


def test_both_tables_and_their_report_come_from_one_simulation():
    simulation = TransactionSimulation(customers=20, transactions=400, dirt=None)
    transactions, customers, report = simulated_retailer(simulation)
    assert transactions.simulation == customers.simulation == simulation
    assert report == {"customers": 20, "transactions": 400, "refunds": 6, "dirt": {}}
