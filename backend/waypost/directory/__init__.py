"""Who works here and under whom: people, departments (a tree with heads), teams, managers.

Knows nothing of tickets or permissions; other rooms read its tables and ask its queries.
"""
