"""One database by one URL: people, their tokens, what they sent, what was answered last."""
