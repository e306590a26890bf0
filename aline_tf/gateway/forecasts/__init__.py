"""What a person is told: risks, triggers, the next question, what-ifs."""
