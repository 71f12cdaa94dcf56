"""When this and that, then so: rules over what happens to tickets and over time, on the conditions and use cases of people.

A rule runs as Waypost itself, after the commit of what it follows, once, and says what it did and why.
"""
