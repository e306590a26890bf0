"""A person's records: timeline, files, clocks, units, days, FHIR, importers."""
