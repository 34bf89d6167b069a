"""The paper's experiments: a runner a table, reports, and data to train on."""
