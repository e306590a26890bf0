"""The psychometric task: grid oracle, psi-marginal and QUEST+, target switches, figures."""
