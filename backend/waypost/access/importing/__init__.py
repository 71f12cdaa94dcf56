"""People come from a table: its columns are named, what each row would do is shown, and then a job does just that.

`reading.py` and `planning.py` are pure; `service.py` brings a file and plans it, `doing.py` does one row.
"""
