"""Two classes: measures, costs, decisions, calibration, rules, reasons and fairness."""
