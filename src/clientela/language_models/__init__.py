"""Language models behind one form, whoever runs them: a question in, an answer out."""
