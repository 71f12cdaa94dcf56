"""What every room may use and that knows no room: settings, sessions, clock, ids, errors, events, conditions, paging."""
