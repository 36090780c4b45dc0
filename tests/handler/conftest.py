"""Settings of the generated cases."""

from hypothesis import settings

# A slow machine is not a wrong program: no case has a time limit of its own.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
