"""Activities that are sent to the service: taken, and counted from the next answer on."""
