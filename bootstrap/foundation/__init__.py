"""The parts of the bootstrap."""
