"""The demo company: people, teams, types and a workflow (`company`), two months of requests (`requests`), and how they
come into an empty database through the same use cases people have (`loading`).
"""
