"""What can be asked for: ticket types with their forms.

A form is a JSON Schema of a ticket's `custom_fields`; the server validates with it and the web app draws it.
"""
