"""Questions over many tickets: the dashboard. Counts exactly what its reader finds in the lists."""
