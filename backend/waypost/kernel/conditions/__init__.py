"""The one condition language: routing rules, saved views, report filters, SLA policies, triggers are one small JSON tree.

`tree` parses and checks it against a catalogue of fields, `evaluate` judges one record, `sql` makes a WHERE clause; a
property test holds the two equal.
"""
