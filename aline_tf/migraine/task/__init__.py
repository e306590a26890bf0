"""The task of the application: simulated and recorded episodes, day features, trained model."""
