"""The database's history, one step after the other. Each says which locks it takes."""
