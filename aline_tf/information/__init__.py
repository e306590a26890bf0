"""Information as a number: posterior samples, nested Monte Carlo, expected gains, look-ahead."""
