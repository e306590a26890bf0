"""The embedded server: TensorFlow Serving's interfaces without Docker, gRPC and REST."""
