"""What belongs to one task: its experiment, its oracle, its baselines, its plots."""
