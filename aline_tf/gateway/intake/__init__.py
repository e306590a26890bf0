"""From the body of a request to payloads with an account, and from payloads to one timeline."""
