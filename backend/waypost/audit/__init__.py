"""The audit trail: the event log as auditors read it."""
