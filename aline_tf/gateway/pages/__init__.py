"""The page of a person: made here, without a script, for a phone first."""
