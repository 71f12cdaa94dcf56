"""Who must say yes: definitions, the pure engine, who is asked, steps and decisions.

The room judges a *subject* (a plain description of something to be approved) and knows no tickets.
"""
