"""The migraine application: simulator, timeline, importers, forecast and report."""
