"""The report of a forecast as one HTML file."""
