"""Reading records and saying what they mean. No torch here: a report opens on any laptop."""
