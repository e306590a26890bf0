"""People who never were: population, simulator, measurement, recording."""
