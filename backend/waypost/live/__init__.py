"""Open screens: what happens reaches them as Server-Sent Events, permission-checked as it is delivered."""
