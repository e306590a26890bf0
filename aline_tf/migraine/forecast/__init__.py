"""What a forecast says of one person: risk, triggers, attribution, what-if, next question."""
