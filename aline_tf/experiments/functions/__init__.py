"""Functions drawn from Gaussian processes: simulated runs, baselines, benchmark functions."""
