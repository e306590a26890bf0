"""What the gateway does by itself: looks after people, and calls those who want to know."""
