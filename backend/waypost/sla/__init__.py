"""By when: calendars of working hours, the pure clock over them, policies, and what happens when time runs short."""
