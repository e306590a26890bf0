"""What an export carries beside its graph: requests to warm a server up, a page of reference."""
