"""What an operator needs: limits of rate, metrics, logs. None of it knows what was sent."""
